import { type BusError, Elapsed, GroupCommit, isConnectionTrouble } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import type { Argument } from './entry.js';
import { toBusError } from './errors.js';
import type { OwnedPartition, Unstored } from './owned-partition.js';
import { settle } from './scripts.js';
import type { Topology } from './topology.js';

/** Whom settlements tell. */
export interface SettlementHandler {
  /** Called before anything is stored. Rejects while a command of before may still be on its way. */
  clear(partition: OwnedPartition): Promise<void>;
  /** The partition is owned no more. */
  refused(partition: OwnedPartition): void;
  /** Something has to be tried again, or cannot succeed. */
  problem(error: BusError): void;
  /** The consumer stops, and the server says nothing. */
  stuck(): void;
}

/** How long settlements may wait for others to be stored together. */
const INTERVAL_MS = 5;
/** How long a consumer that stops waits for the server to store something. */
const GIVE_UP_MS = 400;

/**
 * Makes settlements and journals durable: one script at a time for all partitions that changed (in a Cluster one for
 * each), and meanwhile the next gathers.
 */
export class Settlements {
  private readonly rhythm: GroupCommit<OwnedPartition>;
  private stopWatch: NodeJS.Timeout | undefined;
  private attempt = new Elapsed();
  private closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly group: string,
    /** So many settlements are stored at once, without waiting for more. */
    maxSettlements: number,
    private readonly handler: SettlementHandler,
  ) {
    this.rhythm = new GroupCommit({
      intervalMs: INTERVAL_MS,
      maxSettlements,
      isReady: () => true,
      store: (partitions) => this.store(partitions),
    });
  }

  /** As `GroupCommit.changed`. */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void {
    this.rhythm.changed(partition, soon, settlements);
  }

  /** From now on what cannot be stored at once is given up. */
  stop(): void {
    this.stopWatch ??= setInterval(() => {
      if (this.rhythm.isRunning && this.attempt.ms > GIVE_UP_MS) this.handler.stuck();
    }, GIVE_UP_MS / 4);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.stopWatch);
    this.rhythm.close();
  }

  private async store(partitions: readonly OwnedPartition[]): Promise<boolean> {
    this.attempt = new Elapsed();
    const owned = new Map(partitions.map((partition) => [partition.partition, partition] as const));
    const stored = await Promise.all(
      this.topology
        .together([...owned.keys()])
        .map((numbers) => this.storeTogether(numbers.map((each) => owned.get(each) as OwnedPartition))),
    );
    return !stored.includes(false);
  }

  /** False when it has to be tried again. */
  private async storeTogether(partitions: readonly OwnedPartition[]): Promise<boolean> {
    try {
      await Promise.all(partitions.map((partition) => this.handler.clear(partition)));
      const unstored = partitions.map((partition) => partition.unstored());
      const answers = (await this.run(partitions, unstored)) as readonly number[];
      partitions.forEach((partition, index) => {
        if (answers[index] === 1) partition.stored(unstored[index] as Unstored);
        else this.handler.refused(partition);
      });
      return true;
    } catch (error) {
      this.again(partitions, toBusError(error, `settle for the group ${this.group}`));
      return false;
    }
  }

  private run(partitions: readonly OwnedPartition[], unstored: readonly Unstored[]): Promise<unknown> {
    const { keys } = this.topology;
    const names: string[] = [];
    const args: Argument[] = [this.group];
    partitions.forEach(({ partition, lease }, index) => {
      const { positions, journal } = unstored[index] as Unstored;
      names.push(
        keys.lease(partition, this.group),
        keys.streamOf(partition),
        keys.journal(partition, this.group),
      );
      // One argument: each of its own would take ioredis more time than the server needs to take them apart.
      args.push(lease.token, journal, positions.join(' '));
    });
    return settle.run(this.commands, names, args);
  }

  private again(partitions: readonly OwnedPartition[], reason: BusError): void {
    if (this.closed) return;
    this.handler.problem(reason);
    for (const partition of partitions) {
      // Done late, an older journal would replace a newer one.
      if (isConnectionTrouble(reason)) partition.lease.doubt();
      this.rhythm.again(partition);
      if (!reason.retryable || this.stopWatch) partition.storeFailed(reason);
    }
  }
}

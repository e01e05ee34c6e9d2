import { type BusError, Elapsed, isConnectionTrouble, reconnectDelayMs } from '@omnibus/core/transport';
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
  private readonly changedPartitions = new Set<OwnedPartition>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private running = false;
  private urgent = false;
  private failures = 0;
  private settlements = 0;
  private stopWatch: NodeJS.Timeout | undefined;
  private attempt = new Elapsed();
  private closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly group: string,
    /** So many settlements are stored at once, without waiting for more. */
    private readonly maxSettlements: number,
    private readonly handler: SettlementHandler,
  ) {}

  /**
   * `soon`: somebody waits for it. Everything that changes in one turn of the event loop is stored together. `settlements`:
   * what a crash would repeat until it is stored.
   */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void {
    if (this.closed) return;
    this.changedPartitions.add(partition);
    this.settlements += settlements;
    this.urgent ||= soon || this.settlements >= this.maxSettlements;
    this.schedule();
  }

  /** From now on what cannot be stored at once is given up. */
  stop(): void {
    this.stopWatch ??= setInterval(() => {
      if (this.running && this.attempt.ms > GIVE_UP_MS) this.handler.stuck();
    }, GIVE_UP_MS / 4);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.stopWatch);
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.changedPartitions.clear();
  }

  private schedule(): void {
    if (this.closed || this.running || this.changedPartitions.size === 0) return;
    if (this.failures > 0)
      this.timer ??= setTimeout(() => void this.store(), reconnectDelayMs(this.failures));
    else if (this.urgent) this.immediate ??= setImmediate(() => void this.store());
    else this.timer ??= setTimeout(() => void this.store(), INTERVAL_MS);
  }

  private async store(): Promise<void> {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
    if (this.running || this.closed) return;
    const owned = new Map(
      [...this.changedPartitions]
        .filter(({ isLost }) => !isLost)
        .map((partition) => [partition.partition, partition] as const),
    );
    this.changedPartitions.clear();
    this.running = true;
    this.attempt = new Elapsed();
    this.urgent = false;
    this.settlements = 0;
    const stored = await Promise.all(
      this.topology
        .together([...owned.keys()])
        .map((partitions) => this.storeTogether(partitions.map((each) => owned.get(each) as OwnedPartition))),
    );
    this.failures = stored.includes(false) ? this.failures + 1 : 0;
    this.running = false;
    this.schedule();
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
      this.changedPartitions.add(partition);
      if (!reason.retryable || this.stopWatch) partition.storeFailed(reason);
    }
  }
}

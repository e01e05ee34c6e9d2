import { type BusError, reconnectDelayMs } from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import { commitOffsets, isFencing, type MemberIdentity } from './group-requests.js';
import { type GroupCoordinator, isStaleCoordinator } from './groups.js';
import type { OwnedPartition } from './owned-partition.js';
import { protocolError } from './protocol.js';

/** What commits need to know, and whom they tell. */
export interface CommitHandler {
  /** Under which generation commits are accepted; undefined: none at the moment, `committable` follows. */
  identity(): MemberIdentity | undefined;
  /** The group refused a commit of this generation. */
  refused(generationId: number, type: string): void;
  /** A commit that cannot succeed, or that has to be tried again. */
  problem(error: BusError): void;
}

/** How long settlements may wait to be committed together. */
const INTERVAL_MS = 200;
/** How long a consumer that stops tries to commit. */
const GIVE_UP_MS = 400;

type Snapshot = ReturnType<OwnedPartition['snapshot']>;

/**
 * Makes settlements and journals durable: one commit at a time, for all partitions that changed, under the generation
 * that is current when it leaves. Only partitions that are owned are committed: the broker would believe us.
 */
export class Commits {
  private readonly changedPartitions = new Set<OwnedPartition>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private running = false;
  private urgent = false;
  private failures = 0;
  private settlements = 0;
  private giveUpAtMs = Number.POSITIVE_INFINITY;
  private closed = false;

  constructor(
    private readonly coordinator: GroupCoordinator,
    private readonly topic: string,
    /** So many settlements are committed at once, without waiting for more. */
    private readonly maxSettlements: number,
    private readonly handler: CommitHandler,
  ) {}

  /**
   * `soon`: somebody waits for it. Everything that changes in one turn of the event loop is one commit. `settlements`: what
   * a crash would repeat until it is committed; so many of them do not wait either.
   */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void {
    if (this.closed) return;
    this.changedPartitions.add(partition);
    this.settlements += settlements;
    this.urgent ||= soon || this.settlements >= this.maxSettlements;
    this.schedule();
  }

  /** From now on what cannot be committed is soon given up. */
  stop(): void {
    this.giveUpAtMs = Date.now() + GIVE_UP_MS;
  }

  /** A new generation: what waits can be committed. */
  committable(): void {
    this.schedule();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.changedPartitions.clear();
  }

  private schedule(): void {
    if (this.closed || this.running || this.changedPartitions.size === 0) return;
    if (this.failures === 0 && this.urgent) {
      this.immediate ??= setImmediate(() => void this.commit());
    } else {
      this.timer ??= setTimeout(
        () => void this.commit(),
        this.failures > 0 ? reconnectDelayMs(this.failures) : INTERVAL_MS,
      );
    }
  }

  private async commit(): Promise<void> {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
    const member = this.handler.identity();
    if (this.running || this.closed || !member) return;
    const snapshots = this.take();
    if (snapshots.size === 0) return;
    this.running = true;
    this.urgent = false;
    this.settlements = 0;
    try {
      await this.send(member, snapshots);
    } catch (error) {
      this.again(snapshots.keys());
      this.failures += 1;
      const reason = toBusError(error, `commit for the group ${member.groupId}`);
      this.handler.problem(reason);
      if (Date.now() > this.giveUpAtMs)
        for (const partition of snapshots.keys()) partition.commitFailed(reason);
    } finally {
      this.running = false;
      this.schedule();
    }
  }

  private take(): Map<OwnedPartition, Snapshot> {
    const snapshots = new Map<OwnedPartition, Snapshot>();
    for (const partition of this.changedPartitions)
      if (!partition.isLost) snapshots.set(partition, partition.snapshot());
    this.changedPartitions.clear();
    return snapshots;
  }

  private async send(
    member: MemberIdentity,
    snapshots: ReadonlyMap<OwnedPartition, Snapshot>,
  ): Promise<void> {
    const request = [...snapshots].map(([{ partition }, { offset, metadata }]) => ({
      partition,
      offset,
      metadata,
    }));
    const answers = await this.coordinator.ask((broker) =>
      commitOffsets(broker, member, this.topic, request),
    );
    const codes = new Map(answers.map(({ partition, errorCode }) => [partition, errorCode] as const));
    let failed = false;
    for (const [owned, snapshot] of snapshots) {
      const code = codes.get(owned.partition) ?? -1;
      if (code === 0) owned.committed(snapshot.version, snapshot.settlements);
      else failed = this.failed(owned, code, member) || failed;
    }
    this.failures = failed ? this.failures + 1 : 0;
  }

  /** True when it has to be tried again after a while. */
  private failed(
    owned: OwnedPartition,
    code: number,
    { groupId, groupGenerationId }: MemberIdentity,
  ): boolean {
    const error = protocolError(code);
    this.again([owned]);
    if (isFencing(error.type)) {
      this.handler.refused(groupGenerationId, error.type);
      return true;
    }
    if (isStaleCoordinator(error.type)) this.coordinator.forget();
    else if (error.type !== 'REBALANCE_IN_PROGRESS') {
      const reason = toBusError(error, `commit partition ${owned.partition} for the group ${groupId}`);
      this.handler.problem(reason);
      if (!reason.retryable) owned.commitFailed(reason);
    }
    return true;
  }

  private again(partitions: Iterable<OwnedPartition>): void {
    for (const partition of partitions) this.changedPartitions.add(partition);
    this.urgent = true;
  }
}

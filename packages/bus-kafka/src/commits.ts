import { type BusError, GroupCommit } from '@omnibus/core/transport';
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
 * Makes settlements and journals durable: one commit for all partitions that changed, under the generation that is current
 * when it leaves. Only partitions that are owned are committed: the broker would believe us.
 */
export class Commits {
  private readonly rhythm: GroupCommit<OwnedPartition>;
  private giveUpAtMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly coordinator: GroupCoordinator,
    private readonly topic: string,
    /** So many settlements are committed at once, without waiting for more. */
    maxSettlements: number,
    private readonly handler: CommitHandler,
  ) {
    this.rhythm = new GroupCommit({
      intervalMs: INTERVAL_MS,
      maxSettlements,
      isReady: () => handler.identity() !== undefined,
      store: (partitions) => this.commit(partitions),
    });
  }

  /** As `GroupCommit.changed`. */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void {
    this.rhythm.changed(partition, soon, settlements);
  }

  /** From now on what cannot be committed is soon given up. */
  stop(): void {
    this.giveUpAtMs = Date.now() + GIVE_UP_MS;
  }

  /** A new generation: what waits can be committed. */
  committable(): void {
    this.rhythm.wake();
  }

  close(): void {
    this.rhythm.close();
  }

  /** False when it has to be tried again. */
  private async commit(partitions: readonly OwnedPartition[]): Promise<boolean> {
    const member = this.handler.identity() as MemberIdentity;
    const snapshots = new Map(partitions.map((partition) => [partition, partition.snapshot()] as const));
    try {
      return await this.send(member, snapshots);
    } catch (error) {
      for (const partition of partitions) this.rhythm.again(partition);
      const reason = toBusError(error, `commit for the group ${member.groupId}`);
      this.handler.problem(reason);
      if (Date.now() > this.giveUpAtMs) for (const partition of partitions) partition.commitFailed(reason);
      return false;
    }
  }

  private async send(
    member: MemberIdentity,
    snapshots: ReadonlyMap<OwnedPartition, Snapshot>,
  ): Promise<boolean> {
    const request = [...snapshots].map(([{ partition }, { offset, metadata }]) => ({
      partition,
      offset,
      metadata,
    }));
    const answers = await this.coordinator.ask((broker) =>
      commitOffsets(broker, member, this.topic, request),
    );
    const codes = new Map(answers.map(({ partition, errorCode }) => [partition, errorCode] as const));
    let isCommitted = true;
    for (const [owned, snapshot] of snapshots) {
      const code = codes.get(owned.partition) ?? -1;
      if (code === 0) {
        owned.committed(snapshot.version, snapshot.settlements);
      } else {
        isCommitted = false;
        this.failed(owned, code, member);
      }
    }
    return isCommitted;
  }

  private failed(owned: OwnedPartition, code: number, { groupId, groupGenerationId }: MemberIdentity): void {
    const error = protocolError(code);
    this.rhythm.again(owned);
    if (isFencing(error.type)) {
      this.handler.refused(groupGenerationId, error.type);
    } else if (isStaleCoordinator(error.type)) {
      this.coordinator.forget();
    } else if (error.type !== 'REBALANCE_IN_PROGRESS') {
      const reason = toBusError(error, `commit partition ${owned.partition} for the group ${groupId}`);
      this.handler.problem(reason);
      if (!reason.retryable) owned.commitFailed(reason);
    }
  }
}

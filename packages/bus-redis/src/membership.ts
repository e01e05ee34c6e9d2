import { type BusError, delay, Elapsed, reconnectDelayMs } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { toBusError } from './errors.js';
import type { Lease } from './lease.js';
import { fenced, type LeaseHandler, type LeaseSettings, Leases } from './leases.js';
import { type GroupView, shareOf } from './share.js';
import type { Topology } from './topology.js';

/** The group, and the times of a membership. */
export interface MembershipSettings extends LeaseSettings {
  readonly heartbeatIntervalMs: number;
}

/** What a member does with what it finds out. */
export interface MembershipHandler extends Omit<LeaseHandler, 'refused'> {
  /** These are ours from now on. `made`: partitions whose group was gone and has been made anew. */
  taken(leases: readonly Lease[], made: readonly number[]): Promise<void>;
  /** Others need these. Calls `release` for each when it is drained. Synchronous. */
  give(partitions: readonly number[]): void;
  works(): void;
  failed(error: BusError): void;
}

/** While others give up partitions for us, we look this often. */
const EAGER_MS = 100;
/** How long a newcomer waits for its share. */
const JOIN_HEARTBEATS = 3;

/**
 * This process as a member of a group: says that it lives, holds leases, shares the partitions with whoever else is
 * there. One script a heartbeat, however many partitions. Recovers by itself until it is closed.
 */
export class Membership {
  readonly leases: Leases;
  private readonly giving = new Set<number>();
  /** Lost to somebody else, or with the group: the next look at the group tells. */
  private readonly unexplained = new Set<number>();
  private readonly watch: NodeJS.Timeout;
  private taking = true;
  private closed = false;
  private current: Promise<number> = Promise.resolve(0);
  private early = new AbortController();

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly settings: MembershipSettings,
    private readonly handler: MembershipHandler,
  ) {
    this.leases = new Leases(commands, topology, settings, {
      ...handler,
      lost: (partitions, cause) => {
        this.lost(partitions, cause);
        handler.failed(cause);
      },
      refused: (partition, cause) => {
        this.unexplained.add(partition);
        this.lost([partition], cause);
      },
    });
    this.watch = setInterval(() => this.leases.giveUpEnded(), Math.max(10, settings.heartbeatIntervalMs / 2));
  }

  /**
   * Joins. Resolves with the share, or when the others take longer to give it up than they should. Rejects when the first
   * heartbeat cannot be made.
   */
  async start(): Promise<void> {
    const { heartbeatIntervalMs } = this.settings;
    const joining = new Elapsed();
    for (;;) {
      const nextMs = await this.nextRound();
      if (nextMs === heartbeatIntervalMs || joining.ms > JOIN_HEARTBEATS * heartbeatIntervalMs) return;
      await this.wait(nextMs);
      if (this.closed || !this.taking) return;
    }
  }

  /** Keeps the membership until `close`. Never rejects. */
  async run(): Promise<void> {
    let waitMs = this.settings.heartbeatIntervalMs;
    for (let failures = 0; !this.closed; ) {
      await this.wait(waitMs);
      if (this.closed) return;
      const refused = [...this.unexplained];
      try {
        waitMs = await this.nextRound();
        failures = 0;
        this.handler.works();
      } catch (error) {
        failures += 1;
        if (this.closed) return;
        this.handler.failed(toBusError(error, `send a heartbeat to the group ${this.settings.group}`));
        waitMs = Math.min(reconnectDelayMs(failures), this.settings.heartbeatIntervalMs);
      }
      this.tellRefused(refused);
    }
  }

  /** Takes no further partition. Resolves when what is under way is done. Leases are prolonged until they are released. */
  stop(): Promise<unknown> {
    this.taking = false;
    return this.current.catch(() => undefined);
  }

  /** Something changed: do not wait for the next heartbeat. */
  hurry(): void {
    this.early.abort();
  }

  /** Gives a partition to whoever takes it. What is pending is pending for them. */
  async release(partition: number): Promise<void> {
    try {
      await this.leases.release(partition);
    } finally {
      this.giving.delete(partition);
    }
  }

  /** Leaves the group at once, so that others need not wait until this process counts as dead. */
  async leave(): Promise<void> {
    const { topology, settings } = this;
    await Promise.all(
      topology
        .together(topology.all)
        .map(([first = 0]) =>
          this.commands.zrem(topology.keys.members(first, settings.group), settings.member),
        ),
    );
  }

  close(): void {
    this.taking = false;
    this.closed = true;
    this.early.abort();
    clearInterval(this.watch);
  }

  /** Ends early when something changed meanwhile, or has changed since the last time. */
  private async wait(ms: number): Promise<void> {
    await delay(ms, this.early.signal);
    this.early = new AbortController();
  }

  private nextRound(): Promise<number> {
    this.current = this.round();
    return this.current;
  }

  /** One heartbeat and what follows from it. Resolves to how long to wait for the next. */
  private async round(): Promise<number> {
    const view = await this.beat();
    if (!view || !this.taking) return this.settings.heartbeatIntervalMs;
    const share = shareOf(view, this.settings.member);
    const give = share.give.filter((partition) => !this.giving.has(partition));
    if (give.length > 0) {
      for (const partition of give) this.giving.add(partition);
      this.handler.give(give);
    }
    const taken = await this.takeAll(share.take);
    const missing = share.missing + share.take.length - taken;
    return missing > 0
      ? Math.min(EAGER_MS, this.settings.heartbeatIntervalMs)
      : this.settings.heartbeatIntervalMs;
  }

  /** Undefined when a part of the group could not be seen, which is no time to share anew. */
  private async beat(): Promise<GroupView | undefined> {
    const { topology } = this;
    const parts = topology.together(topology.all);
    const results = await Promise.allSettled(parts.map((partitions) => this.leases.prolong(partitions)));
    const members = new Set<string>();
    const holders = new Map<number, string>();
    let failure: PromiseRejectedResult | undefined;
    for (const result of results) {
      if (result.status === 'rejected') {
        failure = result;
        continue;
      }
      for (const member of result.value.members) members.add(member);
      for (const [partition, holder] of result.value.holders) holders.set(partition, holder);
    }
    if (failure && holders.size === 0) throw failure.reason;
    if (failure)
      this.handler.failed(toBusError(failure.reason, `send a heartbeat to the group ${this.settings.group}`));
    return failure ? undefined : { members: [...members], holders };
  }

  private async takeAll(partitions: readonly number[]): Promise<number> {
    if (partitions.length === 0) return 0;
    const made: number[] = [];
    const results = await Promise.allSettled(
      partitions.map((partition) => this.leases.take(partition, made)),
    );
    const leases = results.flatMap((result) =>
      result.status === 'fulfilled' && result.value ? [result.value] : [],
    );
    // What is gone with the group is told with the group.
    for (const partition of made) this.unexplained.delete(partition);
    if (leases.length > 0) await this.handler.taken(leases, made);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return leases.length;
  }

  /** One error, however many partitions: they are refused one by one. */
  private tellRefused(partitions: readonly number[]): void {
    const lost = partitions.filter((partition) => this.unexplained.delete(partition));
    if (lost.length > 0 && !this.closed) this.handler.failed(fenced(lost));
  }

  private lost(partitions: readonly number[], cause: BusError): void {
    for (const partition of partitions) this.giving.delete(partition);
    this.handler.lost(partitions, cause);
    this.hurry();
  }
}

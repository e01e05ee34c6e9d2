import { BusError, delay, Elapsed, reconnectDelayMs } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { toBusError } from './errors.js';
import { holderOf, Lease } from './lease.js';
import { beat, reissue, release, take } from './scripts.js';
import { type GroupView, shareOf } from './share.js';
import type { Topology } from './topology.js';

/** The group, and the times of a membership. */
export interface MembershipSettings {
  readonly group: string;
  readonly consumerName: string;
  readonly leaseMs: number;
  readonly heartbeatIntervalMs: number;
}

/** What a member does with what it finds out. */
export interface MembershipHandler {
  /** These are ours from now on. `made`: partitions whose group was gone and has been made anew. */
  taken(leases: readonly Lease[], made: readonly number[]): Promise<void>;
  /** Others need these. Calls `release` for each when it is drained. Synchronous. */
  give(partitions: readonly number[]): void;
  /** Not ours any more, or perhaps not. Synchronous. */
  lost(partitions: readonly number[], cause: BusError): void;
  /** Where to go on in a partition whose group is gone. */
  resumeAt(partition: number): string;
  /** Entries were trimmed away while they were pending. */
  trimmed(partition: number, count: number): void;
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
  private readonly leases = new Map<number, Lease>();
  private readonly giving = new Set<number>();
  private readonly watch: NodeJS.Timeout;
  private taking = true;
  private closed = false;
  private current: Promise<number> = Promise.resolve(0);
  private early = new AbortController();
  private tokens = 0;
  /** Tokens of this member at the server that it does not know of: the answer to taking them was lost. */
  private readonly orphans = new Map<number, string>();

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly settings: MembershipSettings,
    /** Different for each process and start. */
    private readonly member: string,
    private readonly handler: MembershipHandler,
  ) {
    this.watch = setInterval(() => this.watchLeases(), Math.max(10, settings.heartbeatIntervalMs / 2));
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

  /** The server refused something of this lease: it belongs to somebody else, or to nobody. */
  refused(lease: Lease): void {
    if (this.leases.get(lease.partition) !== lease) return;
    this.forget(
      [lease.partition],
      new BusError(
        'FENCED',
        `Partition ${lease.partition} went to another process; this one was not heard of in time`,
      ),
    );
  }

  /** Resolves when no command of before can be done any more. Rejects while the server cannot be asked. */
  async clearDoubt(lease: Lease): Promise<void> {
    if (!lease.isDoubted || !this.holds(lease)) return;
    lease.clearing ??= this.reissue(lease).finally(() => {
      lease.clearing = undefined;
    });
    await lease.clearing;
  }

  /** Whether the lease is still the one that counts. */
  holds(lease: Lease): boolean {
    return this.leases.get(lease.partition) === lease;
  }

  /** Gives a partition to whoever takes it. What is pending is pending for them. */
  async release(partition: number): Promise<void> {
    const lease = this.leases.get(partition);
    // A token that changes meanwhile would make the release that of somebody else.
    await lease?.clearing;
    this.leases.delete(partition);
    this.giving.delete(partition);
    if (!lease) return;
    const { keys } = this.topology;
    const { group, consumerName } = this.settings;
    const trimmed = await release.run(
      this.commands,
      [
        keys.lease(partition, group),
        keys.streamOf(partition),
        keys.pass(partition, group, lease.token),
        keys.admitted(partition, group),
      ],
      [lease.token, group, consumerName],
    );
    if (Number(trimmed) > 0) this.handler.trimmed(partition, Number(trimmed));
  }

  /** Leaves the group at once, so that others need not wait until this process counts as dead. */
  async leave(): Promise<void> {
    const { topology, settings, member } = this;
    await Promise.all(
      topology
        .together(topology.all)
        .map(([first = 0]) => this.commands.zrem(topology.keys.members(first, settings.group), member)),
    );
  }

  close(): void {
    this.taking = false;
    this.closed = true;
    this.early.abort();
    clearInterval(this.watch);
  }

  private async reissue(lease: Lease): Promise<void> {
    const asked = new Elapsed();
    const { keys } = this.topology;
    const { group, leaseMs } = this.settings;
    const { partition, token, nextToken } = lease;
    const answer = await reissue.run(
      this.commands,
      [keys.lease(partition, group), keys.pass(partition, group, nextToken), keys.admitted(partition, group)],
      [token, nextToken, leaseMs, group],
    );
    if (answer === 1 && lease.isHeld) lease.reissued(asked);
    else this.refused(lease);
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
    const share = shareOf(view, this.member);
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
    const results = await Promise.allSettled(parts.map((partitions) => this.beatTogether(partitions)));
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

  private async beatTogether(partitions: readonly number[]): Promise<GroupView> {
    const { keys } = this.topology;
    const { group, leaseMs } = this.settings;
    const asked = new Elapsed();
    const leases = partitions.map((partition) => this.leases.get(partition));
    const sent = leases.map((lease) => lease?.token ?? '');
    const answer = await beat.run(
      this.commands,
      [
        keys.members(partitions[0] ?? 0, group),
        ...partitions.flatMap((partition, index) => [
          keys.lease(partition, group),
          keys.pass(partition, group, sent[index] ?? ''),
          keys.admitted(partition, group),
        ]),
      ],
      [this.member, leaseMs, ...sent],
    );
    const [members, tokens] = answer as readonly [readonly Buffer[], readonly Buffer[]];
    const holders = partitions.map((partition, index) => {
      const token = String(tokens[index]);
      const lease = leases[index];
      // One that ended here stays ended, even if the server was more patient.
      if (lease?.isHeld && token === sent[index]) lease.renewed(asked);
      else if (lease && !this.isOurs(lease, token)) this.refused(lease);
      return [partition, this.holderOf(partition, token)] as const;
    });
    return { members: members.map(String), holders: new Map(holders) };
  }

  /** A reissue may be under way. */
  private isOurs(lease: Lease, token: string): boolean {
    return lease.isHeld && (token === lease.token || token === lease.nextToken);
  }

  /** A lease of ours that we do not know of is as good as free, for us. */
  private holderOf(partition: number, token: string): string {
    const holder = holderOf(token);
    this.orphans.delete(partition);
    if (holder !== this.member || this.leases.has(partition)) return holder;
    this.orphans.set(partition, token);
    return '';
  }

  private async takeAll(partitions: readonly number[]): Promise<number> {
    if (partitions.length === 0) return 0;
    const made: number[] = [];
    const results = await Promise.allSettled(partitions.map((partition) => this.take(partition, made)));
    const leases = results.flatMap((result) =>
      result.status === 'fulfilled' && result.value ? [result.value] : [],
    );
    if (leases.length > 0) await this.handler.taken(leases, made);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return leases.length;
  }

  private async take(partition: number, made: number[]): Promise<Lease | undefined> {
    const { keys } = this.topology;
    const { group, consumerName, leaseMs } = this.settings;
    this.tokens += 1;
    const lease = new Lease(partition, `${this.member}:${this.tokens}`, leaseMs, new Elapsed());
    const answer = await take.run(
      this.commands,
      [
        keys.lease(partition, group),
        keys.streamOf(partition),
        keys.pass(partition, group, lease.token),
        keys.admitted(partition, group),
      ],
      [
        lease.token,
        leaseMs,
        group,
        consumerName,
        this.handler.resumeAt(partition),
        this.orphans.get(partition) ?? '',
      ],
    );
    if (answer === null) return undefined;
    const [trimmed, isMade] = answer as readonly [number, number];
    this.leases.set(partition, lease);
    if (trimmed > 0) this.handler.trimmed(partition, trimmed);
    if (isMade === 1) made.push(partition);
    return lease;
  }

  /** Others may have our partitions by now: better to hand out nothing than to hand out twice. */
  private watchLeases(): void {
    const ended = [...this.leases.values()].filter(({ isHeld }) => !isHeld).map(({ partition }) => partition);
    if (ended.length === 0) return;
    this.forget(
      ended,
      new BusError(
        'FENCED',
        `Partitions ${ended.join(', ')} are given up: their leases of ${this.settings.leaseMs} ms could not be prolonged in time`,
      ),
    );
  }

  private forget(partitions: readonly number[], cause: BusError): void {
    for (const partition of partitions) {
      this.leases.delete(partition);
      this.giving.delete(partition);
    }
    this.handler.lost(partitions, cause);
    this.hurry();
  }
}

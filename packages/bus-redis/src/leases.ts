import { BusError, Elapsed } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { holderOf, Lease } from './lease.js';
import { beat, reissue, release, take } from './scripts.js';
import type { GroupView } from './share.js';
import type { Topology } from './topology.js';

/** The group, who wants leases of it, and for how long. */
export interface LeaseSettings {
  readonly group: string;
  readonly consumerName: string;
  /** Different for each process and start. */
  readonly member: string;
  readonly leaseMs: number;
}

/** What leases are told with, and whom they tell. */
export interface LeaseHandler {
  /** Their time is over, and nobody could be asked. Synchronous. */
  lost(partitions: readonly number[], cause: BusError): void;
  /** The server does not know the lease any more: somebody else has the partition, or nobody. Synchronous. */
  refused(partition: number, cause: BusError): void;
  /** Where to go on in a partition whose group is gone. */
  resumeAt(partition: number): string;
  /** Entries were trimmed away while they were pending. */
  trimmed(partition: number, count: number): void;
}

/**
 * The leases of this process: takes, prolongs and releases them at the server, and gives up here what ends there. Every
 * command on behalf of an owner goes by the token of its lease.
 */
export class Leases {
  private readonly held = new Map<number, Lease>();
  private tokens = 0;
  /** Tokens of this member at the server that it does not know of: the answer to taking them was lost. */
  private readonly orphans = new Map<number, string>();

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly settings: LeaseSettings,
    private readonly handler: LeaseHandler,
  ) {}

  /** Whether the lease is still the one that counts. */
  holds(lease: Lease): boolean {
    return this.held.get(lease.partition) === lease;
  }

  async take(partition: number, made: number[]): Promise<Lease | undefined> {
    const { group, consumerName, leaseMs, member } = this.settings;
    this.tokens += 1;
    const lease = new Lease(partition, `${member}:${this.tokens}`, leaseMs, new Elapsed());
    const answer = await take.run(this.commands, this.keysOf(lease), [
      lease.token,
      leaseMs,
      group,
      consumerName,
      this.handler.resumeAt(partition),
      this.orphans.get(partition) ?? '',
    ]);
    if (answer === null) return undefined;
    const [trimmed, isMade] = answer as readonly [number, number];
    this.held.set(partition, lease);
    if (trimmed > 0) this.handler.trimmed(partition, trimmed);
    if (isMade === 1) made.push(partition);
    return lease;
  }

  /** Says that this member lives, prolongs what it has of these partitions, and tells who else is there and has what. */
  async prolong(partitions: readonly number[]): Promise<GroupView> {
    const { keys } = this.topology;
    const { group, leaseMs, member } = this.settings;
    const asked = new Elapsed();
    const leases = partitions.map((partition) => this.held.get(partition));
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
      [member, leaseMs, ...sent],
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
    if (holder !== this.settings.member || this.held.has(partition)) return holder;
    this.orphans.set(partition, token);
    return '';
  }

  /** Gives a partition to whoever takes it. What is pending is pending for them. */
  async release(partition: number): Promise<void> {
    const lease = this.held.get(partition);
    // A token that changes meanwhile would make the release that of somebody else.
    await lease?.clearing;
    this.held.delete(partition);
    if (!lease) return;
    const { group, consumerName } = this.settings;
    const trimmed = await release.run(this.commands, this.keysOf(lease), [lease.token, group, consumerName]);
    if (Number(trimmed) > 0) this.handler.trimmed(partition, Number(trimmed));
  }

  /** The server refused something of this lease: it belongs to somebody else, or to nobody. */
  refused(lease: Lease): void {
    if (this.held.get(lease.partition) !== lease) return;
    this.held.delete(lease.partition);
    this.handler.refused(lease.partition, fenced([lease.partition]));
  }

  /** Resolves when no command of before can be done any more. Rejects while the server cannot be asked. */
  async clearDoubt(lease: Lease): Promise<void> {
    if (!lease.isDoubted || !this.holds(lease)) return;
    lease.clearing ??= this.reissue(lease).finally(() => {
      lease.clearing = undefined;
    });
    await lease.clearing;
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

  /** Gives up what could not be prolonged. Others may have our partitions by now: better to hand out nothing than to hand out twice. */
  giveUpEnded(): void {
    const ended = [...this.held.values()].filter(({ isHeld }) => !isHeld).map(({ partition }) => partition);
    if (ended.length === 0) return;
    for (const partition of ended) this.held.delete(partition);
    this.handler.lost(
      ended,
      new BusError(
        'FENCED',
        `Partitions ${ended.join(', ')} are given up: their leases of ${this.settings.leaseMs} ms could not be prolonged in time`,
      ),
    );
  }

  /** What `take` and `release` work on. */
  private keysOf({ partition, token }: Lease): string[] {
    const { keys } = this.topology;
    const { group } = this.settings;
    return [
      keys.lease(partition, group),
      keys.streamOf(partition),
      keys.pass(partition, group, token),
      keys.admitted(partition, group),
    ];
  }
}

/** What to say of partitions whose leases the server refused. */
export function fenced(partitions: readonly number[]): BusError {
  const which = partitions.length === 1 ? 'Partition' : 'Partitions';
  return new BusError(
    'FENCED',
    `${which} ${partitions.join(', ')} went to another process; this one was not heard of in time`,
  );
}

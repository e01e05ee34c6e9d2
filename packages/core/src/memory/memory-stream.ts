import type { InboundRecord, OutboundRecord, StoredDeadLetter } from '../transport.js';
import { MemoryGroup } from './memory-group.js';
import { MemoryLog } from './memory-log.js';
import type { MemoryMember } from './memory-member.js';

/** The members of a group and who owns which partition. */
class Membership {
  readonly members: MemoryMember[] = [];
  private turn: Promise<void> = Promise.resolve();

  constructor(
    readonly group: MemoryGroup,
    private readonly partitions: number,
  ) {}

  /** One change of membership at a time, each followed by a new distribution. */
  change(apply: () => Promise<void> | void): Promise<void> {
    const change = this.turn.then(async () => {
      await apply();
      await this.rebalance();
    });
    this.turn = change.catch(() => undefined);
    return change;
  }

  wake(partition: number): void {
    for (const member of this.members) member.wake(partition);
  }

  /** Sticky: a partition moves only from a member that owns more than its share, or that is gone. */
  private async rebalance(): Promise<void> {
    const active = this.members.filter((member) => !member.frozen);
    if (active.length === 0) return;
    const before = active.map((member) => member.partitions.join());
    const quotas = this.quotas(active);
    await Promise.all(active.map((member) => member.handOver(member.partitions.slice(quotas.get(member)))));
    const owned = new Set(active.flatMap((member) => member.partitions));
    const free = Array.from({ length: this.partitions }, (_, partition) => partition).filter(
      (partition) => !owned.has(partition),
    );
    for (const member of active) {
      while (free.length > 0 && member.partitions.length < (quotas.get(member) ?? 0))
        await member.acquire(free.shift() as number);
    }
    active.forEach((member, index) => {
      if (member.partitions.join() !== before[index]) member.rebalanced();
    });
  }

  private quotas(active: readonly MemoryMember[]): Map<MemoryMember, number> {
    const share = Math.floor(this.partitions / active.length);
    const extra = this.partitions % active.length;
    const byLoad = [...active].sort((a, b) => b.partitions.length - a.partitions.length);
    return new Map(byLoad.map((member, rank) => [member, share + (rank < extra ? 1 : 0)]));
  }
}

/** One stream of a `MemoryBroker`: partitions, groups, dead letters. */
export class MemoryStream {
  readonly logs: readonly MemoryLog[];
  private readonly memberships = new Map<string, Membership>();
  private letters: StoredDeadLetter[] = [];
  private letterCount = 0;

  constructor(
    partitions: number,
    private readonly retainedRecords: number,
  ) {
    this.logs = Array.from({ length: partitions }, () => new MemoryLog());
  }

  get groupNames(): readonly string[] {
    return [...this.memberships.keys()];
  }

  append(record: OutboundRecord): void {
    this.logs[record.partition]?.append(record);
    for (const membership of this.listeners()) membership.wake(record.partition);
  }

  ensureGroup(name: string, startFrom: 'earliest' | 'latest'): MemoryGroup {
    let membership = this.memberships.get(name);
    if (!membership) {
      membership = new Membership(new MemoryGroup(name, this.logs, startFrom), this.logs.length);
      this.memberships.set(name, membership);
    }
    return membership.group;
  }

  group(name: string): MemoryGroup | undefined {
    return this.memberships.get(name)?.group;
  }

  removeGroup(name: string): void {
    this.memberships.delete(name);
  }

  members(groupName?: string): readonly MemoryMember[] {
    if (groupName !== undefined) return this.memberships.get(groupName)?.members ?? [];
    return [...this.memberships.values()].flatMap(({ members }) => members);
  }

  join(groupName: string, member: MemoryMember): Promise<void> {
    const membership = this.memberships.get(groupName);
    if (!membership) return Promise.resolve();
    const join = membership.change(() => {
      membership.members.push(member);
    });
    return join.catch(async (error: unknown) => {
      await this.leave(groupName, member, () => member.dropAll());
      throw error;
    });
  }

  leave(groupName: string, member: MemoryMember, before: () => Promise<void> | void): Promise<void> {
    const membership = this.memberships.get(groupName);
    if (!membership) return Promise.resolve(before());
    return membership.change(async () => {
      await before();
      const at = membership.members.indexOf(member);
      if (at >= 0) membership.members.splice(at, 1);
    });
  }

  /** Distributes anew after `apply`, in every group. */
  async change(apply: () => void): Promise<void> {
    await Promise.all([...this.memberships.values()].map((membership) => membership.change(apply)));
  }

  /** Drops old records that every group has settled. */
  trim(): void {
    const groups = [...this.memberships.values()].map(({ group }) => group);
    this.logs.forEach((log, partition) => {
      log.trim(Math.min(log.end, ...groups.map((group) => group.next(partition))), this.retainedRecords);
    });
  }

  addDeadLetter({ key, value, headers, timestampMs }: OutboundRecord): void {
    this.letterCount += 1;
    const id = String(this.letterCount);
    const record: InboundRecord = { key, value, headers, timestampMs, position: id, redelivered: false };
    this.letters.push({ id, record });
  }

  deadLettersAfter(after: string | undefined): readonly StoredDeadLetter[] {
    return after === undefined
      ? this.letters
      : this.letters.filter((letter) => Number(letter.id) > Number(after));
  }

  /** Removes; returns how many were there. */
  removeDeadLetters(ids: ReadonlySet<string>): number {
    const before = this.letters.length;
    this.letters = this.letters.filter((letter) => !ids.has(letter.id));
    return before - this.letters.length;
  }

  private *listeners(): Iterable<Membership> {
    yield* this.memberships.values();
  }
}

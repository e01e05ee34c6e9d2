import type { Slot } from './broker.js';
import type { Surroundings } from './surroundings.js';
import type { Life } from './time.js';

const NOBODY_THERE_MS = 20;

/** A process that has joined the group. */
export interface Joined {
  readonly life: Life;
  readonly owned: { readonly size: number };
  mayTake(partition: number): boolean;
  acquire(slot: Slot): void;
}

/** Who consumes what in one group, as the broker sees it. */
export class Coordinator {
  readonly members: Joined[] = [];

  constructor(
    private readonly world: Pick<Surroundings, 'time' | 'random' | 'latencyMs'>,
    readonly slots: readonly Slot[],
  ) {}

  journals(): ReadonlyMap<number, string> {
    const journals = new Map<number, string>();
    for (const { partition, journal } of this.slots)
      if (journal !== undefined) journals.set(partition, journal);
    return journals;
  }

  join(member: Joined): void {
    this.members.push(member);
    for (const slot of this.slots) {
      if (!slot.owner) this.assignSoon(slot);
      else if (this.world.random.oneIn(2)) this.move(slot, false);
    }
  }

  leave(member: Joined): void {
    const at = this.members.indexOf(member);
    if (at >= 0) this.members.splice(at, 1);
  }

  assignSoon(slot: Slot, delayMs: number = 1 + this.world.random.upTo(this.world.latencyMs)): void {
    this.world.time.after(delayMs, () => this.assign(slot));
  }

  move(slot: Slot, keeps: boolean): void {
    const { owner } = slot;
    if (owner) this.world.time.after(0, () => owner.move(keeps), owner.life);
  }

  /** Takes the partition away; its owner hears of it later. */
  seize(slot: Slot, noticeMs: number): void {
    const { owner } = slot;
    if (!owner) return;
    slot.owner = undefined;
    owner.seized();
    this.world.time.after(noticeMs, () => owner.drop(), owner.life);
    this.assignSoon(slot);
  }

  /** The sessions of a process ran out. */
  expire(life: Life, noticeMs: number): void {
    for (const slot of this.slots) if (slot.owner?.life === life) this.seize(slot, noticeMs);
    if (life.ended)
      for (const member of this.members.filter((each) => each.life === life)) this.leave(member);
  }

  private assign(slot: Slot): void {
    if (slot.owner || this.members.length === 0) return;
    const candidates = this.members.filter((member) => member.mayTake(slot.partition));
    if (candidates.length === 0) return this.assignSoon(slot, NOBODY_THERE_MS);
    const least = Math.min(...candidates.map(({ owned }) => owned.size));
    const member = this.world.random.pick(candidates.filter(({ owned }) => owned.size <= least + 1));
    this.world.time.after(
      0,
      () => {
        if (slot.owner) return;
        if (member.mayTake(slot.partition)) member.acquire(slot);
        else this.assignSoon(slot);
      },
      member.life,
    );
    // It may die or freeze before it takes it.
    this.assignSoon(slot, NOBODY_THERE_MS);
  }
}

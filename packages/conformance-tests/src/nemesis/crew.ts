import type { EventBusStats } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { pause, until } from '../poll.js';
import type { BusOverrides, ProxiedSubject } from '../subject.js';
import { type Member, startMember } from './member.js';

/** A place in a group: whoever dies in it is replaced. */
export interface Place {
  readonly name: string;
  readonly group: string;
  readonly way: ProxiedSubject | undefined;
  /** Undefined while nobody has it: between a death and the next life, or when nobody is to have it. */
  member: Member | undefined;
  /** Whether somebody is to have it. */
  wanted: boolean;
  lives: number;
}

/** What a consumer that left in order, or was still there at the end, had counted. */
export interface Counted {
  readonly consumer: string;
  readonly stats: EventBusStats;
}

const RESTART_AFTER_MS = 300;
const STAFFED_WITHIN_MS = 120_000;

/** All consumers of a run. */
export class Crew {
  readonly places: Place[] = [];
  /** Of those that left in order. */
  readonly counted: Counted[] = [];
  /** Deaths that nobody ordered: events that kill. */
  ownDeaths = 0;
  readonly #t: CaseContext;
  readonly #overrides: BusOverrides;
  #closing = false;

  constructor(t: CaseContext, overrides: BusOverrides) {
    this.#t = t;
    this.#overrides = overrides;
  }

  /** A new place; somebody takes it soon. */
  open(name: string, group: string, way?: ProxiedSubject): Place {
    const place: Place = { name, group, way, member: undefined, wanted: true, lives: 0 };
    this.places.push(place);
    void this.fill(place);
    return place;
  }

  /** Resolves when every place that is to have a member has one. */
  async staffed(): Promise<void> {
    await until(
      'every consumer to consume',
      () => this.places.every(({ wanted, member }) => !wanted || member !== undefined),
      { withinMs: STAFFED_WITHIN_MS, everyMs: 50 },
    );
  }

  /** Starts members until one lives; the broker may be down. */
  async fill(place: Place): Promise<void> {
    while (place.wanted && !this.#closing) {
      const member = await this.#start(place).catch(() => undefined);
      if (member) return this.#install(place, member);
      await pause(RESTART_AFTER_MS);
    }
  }

  /** Its member leaves in order, and nobody takes its place. */
  async vacate(place: Place): Promise<void> {
    place.wanted = false;
    const { member } = place;
    place.member = undefined;
    if (member) await this.#leave(member);
  }

  /** A new member comes, then the old one leaves. */
  async replace(place: Place): Promise<void> {
    const member = await this.#start(place);
    const old = place.member;
    place.member = undefined;
    await this.#install(place, member);
    if (old) await this.#leave(old);
  }

  /** Its member dies; the place stays empty for a while. */
  async kill(place: Place, forMs: number): Promise<void> {
    const { member } = place;
    if (!member) return;
    place.wanted = false;
    place.member = undefined;
    await member.kill();
    await pause(forMs);
    place.wanted = true;
    void this.fill(place);
  }

  /** The statistics of all that live. */
  async count(): Promise<void> {
    for (const { member } of this.places)
      if (member) this.counted.push({ consumer: member.name, stats: await member.stats() });
  }

  /** Nobody is replaced any more. */
  close(): void {
    this.#closing = true;
  }

  async #start(place: Place): Promise<Member> {
    place.lives += 1;
    const { group, way } = place;
    const name = `${place.name}.${place.lives}`;
    return startMember(this.#t, { name, group, way, overrides: this.#overrides });
  }

  async #install(place: Place, member: Member): Promise<void> {
    // Meanwhile somebody else took the place, or nobody is to have it any more.
    if (place.member || !place.wanted) return this.#leave(member);
    place.member = member;
    void member.ended.then(async () => {
      if (place.member !== member) return;
      // It died of what it handled.
      this.ownDeaths += 1;
      place.member = undefined;
      await pause(RESTART_AFTER_MS);
      await this.fill(place);
    });
  }

  async #leave(member: Member): Promise<void> {
    try {
      this.counted.push({ consumer: member.name, stats: await member.leave() });
    } catch {
      // It died on the way out, of an event that kills.
      this.ownDeaths += 1;
    }
  }
}

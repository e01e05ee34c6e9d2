import type { DomainEvent, EventBus } from '@omnibus/core';

import type { Behaviour } from '../behaviour.js';
import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import { pause } from '../poll.js';
import { randomFrom } from '../random.js';

/** What must become of an event in each group. */
export type Fate = 'handled' | 'max-retries' | 'non-retryable' | 'crash';

/** The settings that fates depend on. */
export const MAX_RETRIES = 3;
/** How long a handler may take. */
export const HANDLER_TIMEOUT_MS = 1_500;

/** How often what never succeeds fails: an end, so that a bus that never gives up has one too. */
const FAR_TOO_OFTEN = 100;
const KEYS_PER_PUBLISHER = 16;
const EVENTS_PER_CALL = 3;
const CALL_EVERY_MS = 100;
const REPUBLISH_EVERY_MS = 100;
/** The first event that kills whoever handles it, and how many events lie between two of them. */
const FIRST_KILLER = 60;
const KILLER_EVERY = 3_000;

/** What is asked of a publisher. */
export interface PublisherRequest {
  readonly name: string;
  readonly seed: number;
  readonly bus: EventBus;
  /** Whether some of its events kill the process that handles them. */
  readonly kills: boolean;
}

/** Publishes until told to stop: the events of each key in order, each call again until it is confirmed. */
export class NemesisPublisher {
  readonly name: string;
  /** What must become of each event. */
  readonly fates: Map<string, Fate> = new Map();
  /** Events whose call failed without saying whether they are stored: they were sent again. */
  unanswered = 0;
  readonly #t: CaseContext;
  readonly #request: PublisherRequest;
  readonly #random: () => number;
  readonly #sequences = new Map<string, number>();
  #made = 0;
  #stopping = false;
  #abandoned = false;
  #done: Promise<void> | undefined;

  constructor(t: CaseContext, request: PublisherRequest) {
    this.name = request.name;
    this.#t = t;
    this.#request = request;
    this.#random = randomFrom(request.seed);
  }

  start(): void {
    this.#done = this.#run();
  }

  /** Resolves when the call that is under way is confirmed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  /** Ends although something may not be confirmed: its bus is about to be closed. */
  abandon(): void {
    this.#stopping = true;
    this.#abandoned = true;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#publishUntilConfirmed(Array.from({ length: EVENTS_PER_CALL }, () => this.#nextEvent()));
      await pause(CALL_EVERY_MS);
    }
  }

  async #publishUntilConfirmed(events: readonly DomainEvent[]): Promise<void> {
    while (!this.#abandoned) {
      try {
        return await this.#t.publish(this.#request.bus, events, { publisher: this.name });
      } catch {
        // The history has the reason. Sent again with the same ids, it stays one event.
        this.unanswered += events.length;
        await pause(REPUBLISH_EVERY_MS);
      }
    }
  }

  #nextEvent(): DomainEvent {
    const key = `${this.name}-${Math.floor(this.#random() * KEYS_PER_PUBLISHER)}`;
    const sequence = (this.#sequences.get(key) ?? 0) + 1;
    this.#sequences.set(key, sequence);
    const { fate, behaviour } = this.#draw();
    const event = makeEvent({ key, from: sequence, behaviour: { heedsSignal: true, ...behaviour } });
    this.fates.set(event.eventId, fate);
    return event;
  }

  /** What the next event asks of its handler. The numbers are drawn for every event, whatever becomes of them. */
  #draw(): { readonly fate: Fate; readonly behaviour: Behaviour } {
    const dice = this.#random();
    const amount = this.#random();
    this.#made += 1;
    if (this.#request.kills && this.#made % KILLER_EVERY === FIRST_KILLER)
      return { fate: 'crash', behaviour: { dieAttempts: FAR_TOO_OFTEN } };
    if (dice < 0.006) return { fate: 'max-retries', behaviour: { failAttempts: FAR_TOO_OFTEN } };
    if (dice < 0.012) return { fate: 'non-retryable', behaviour: { nonRetryable: true } };
    return { fate: 'handled', behaviour: survivable(dice, amount) };
  }
}

/** What an event can ask that is handled in the end. */
function survivable(dice: number, amount: number): Behaviour {
  if (dice < 0.06) return { failAttempts: amount < 0.5 ? 1 : 2 };
  if (dice < 0.066) return { stuckAttempts: 1 };
  if (dice < 0.072) return { blockMs: Math.round(50 + amount * 300) };
  return dice < 0.5 ? { workMs: Math.round(amount * 25) } : {};
}

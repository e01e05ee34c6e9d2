import { busClosed } from './errors.js';
import type { BusState } from './status.js';

/** Where each state may lead. `connecting` falls back to `idle` when the attempt failed: it may be tried again. */
const TRANSITIONS: Readonly<Record<BusState, readonly BusState[]>> = {
  idle: ['connecting', 'draining'],
  connecting: ['ready', 'idle', 'draining'],
  ready: ['reconnecting', 'draining'],
  reconnecting: ['ready', 'draining'],
  draining: ['closed'],
  closed: [],
};

/** Called after each transition. */
export type OnTransition = (from: BusState, to: BusState) => void;

/** The state machine of a bus. It decides nothing and emits nothing: it only refuses what cannot be. */
export class Lifecycle {
  #state: BusState = 'idle';
  readonly #onTransition: OnTransition | undefined;

  constructor(onTransition?: OnTransition) {
    this.#onTransition = onTransition;
  }

  get state(): BusState {
    return this.#state;
  }

  /** Whether the broker can be reached as far as the bus knows. */
  get connected(): boolean {
    return this.#state === 'ready';
  }

  /** Whether `to(next)` is legal now. For what races with a shutdown: a late `reconnected` of the transport, say. */
  can(next: BusState): boolean {
    return TRANSITIONS[this.#state].includes(next);
  }

  /** Goes on to `next`. Throws when that is not a transition: a defect of the bus, never of its user. */
  to(next: BusState): void {
    const from = this.#state;
    if (!this.can(next)) throw new Error(`internal error: the bus cannot go from ${from} to ${next}`);
    this.#state = next;
    this.#onTransition?.(from, next);
  }

  /** Throws `BUS_CLOSED` once a shutdown has begun. */
  assertOpen(call: string): void {
    if (this.#state === 'draining' || this.#state === 'closed') throw busClosed(call);
  }

  /**
   * Throws `BUS_CLOSED` once the shutdown is over. For what a handler may still do while the bus drains: one that could
   * no longer publish would fail, and its event would be handled again elsewhere.
   */
  assertNotClosed(call: string): void {
    if (this.#state === 'closed') throw busClosed(call);
  }
}

import { BusError, PublishError } from './errors.js';
import type { DomainEvent } from './event.js';
import type { TimerQueue } from './timers.js';

/** A call that cannot be queued yet. */
interface HeldCall {
  readonly events: readonly DomainEvent[];
  giveUp(error: BusError): void;
}

/**
 * Publishes that wait for an asynchronous schema, and those behind them: they are queued in the order of the calls. None
 * waits for ever.
 */
export class PublishTurns {
  private readonly held = new Set<HeldCall>();
  /** Settles when the last call so far is queued or has failed; undefined when none is held. */
  private last: Promise<void> | undefined;

  constructor(
    private readonly timers: TimerQueue,
    private readonly timeoutMs: number,
  ) {}

  /** Somebody waits: who comes now must wait behind. */
  get busy(): boolean {
    return this.last !== undefined;
  }

  /** Gives what `ready` yields to `queue`, after all calls before this one. Resolves like `queue`. */
  take<T>(
    events: readonly DomainEvent[],
    ready: T | Promise<T>,
    queue: (value: T) => Promise<void>,
  ): Promise<void> {
    const { call, givenUp } = this.hold(events);
    if (ready instanceof Promise) this.giveUpLate(call, ready);
    const turn = Promise.race([Promise.all([ready, this.last]), givenUp])
      .then(([value]) => ({ queued: queue(value) }))
      .finally(() => this.held.delete(call));
    const passed: Promise<void> = turn.then(
      () => this.pass(passed),
      () => this.pass(passed),
    );
    this.last = passed;
    return turn.then(({ queued }) => queued);
  }

  /** Resolves when nobody is held. */
  async idle(): Promise<void> {
    while (this.last) await this.last;
  }

  /** Fails whoever is held. Returns how many events that are. */
  abort(error: BusError): number {
    let events = 0;
    for (const call of this.held) {
      events += call.events.length;
      call.giveUp(error);
    }
    return events;
  }

  private hold(events: readonly DomainEvent[]): {
    readonly call: HeldCall;
    readonly givenUp: Promise<never>;
  } {
    let reject = (_: PublishError): void => undefined;
    const givenUp = new Promise<never>((_, rejectIt) => {
      reject = rejectIt;
    });
    const call: HeldCall = {
      events,
      giveUp: (error) => {
        const failures = events.map(({ eventId }, index) => ({ index, eventId, error }));
        reject(new PublishError(failures, events.length, 0));
      },
    };
    this.held.add(call);
    return { call, givenUp };
  }

  /** Only a schema can hang: who merely waits behind others gets on when their time is up. */
  private giveUpLate(call: HeldCall, ready: Promise<unknown>): void {
    const timeout = this.timers.schedule(this.timeoutMs, () =>
      call.giveUp(
        new BusError('TIMEOUT', `A schema did not answer within publish.timeoutMs (${this.timeoutMs} ms)`),
      ),
    );
    const inTime = (): void => {
      timeout.cancelled = true;
    };
    ready.then(inTime, inTime);
  }

  private pass(passed: Promise<void>): void {
    if (this.last === passed) this.last = undefined;
  }
}

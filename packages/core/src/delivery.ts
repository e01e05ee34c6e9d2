import type { Subscription } from './registry.js';
import type { InboundRecord } from './transport.js';

/** One event in the hands of this process, from its admission to its settlement. */
export class Delivery {
  /** The next one of the same key. */
  behind: Delivery | undefined = undefined;
  /** Attempts used up so far, counted across crashes. */
  attemptsMade = 0;
  /** Runs in former ownerships of this process of which the broker never heard how they ended. They use up nothing. */
  unheardRuns = 0;
  /** Handlers were called, and what became of it was not written down yet. */
  running = false;
  settled = false;
  /** Handlers that have not succeeded yet; undefined before the first attempt. */
  unfinished: readonly Subscription[] | undefined = undefined;
  firstFailedAtMs = 0;
  /** Ends the running attempt's signal; set while handlers run. */
  abort: ((reason: unknown) => void) | undefined = undefined;

  constructor(
    readonly record: InboundRecord,
    readonly lane: KeyLane,
    readonly admittedAtMs: number,
    /** Known to have been delivered before. */
    readonly redelivered: boolean,
  ) {}
}

/** What a key lane belongs to: a partition that this process owns. */
export interface LaneOwner {
  readonly partition: number;
  /** Handlers may start: the partition is open, not held, not lost. */
  readonly startable: boolean;
  /** It belongs to another process, or may by now: no handler starts, and what is still done here is done for nothing. */
  readonly isGone: boolean;
  /** Puts a ready lane aside until the partition is startable again. */
  park(lane: KeyLane): void;
}

/**
 * The deliveries of one key in one partition: a linked list of which only the head is ever handled. This is what keeps
 * the order of a key, also while its head waits for the next attempt.
 */
export class KeyLane {
  head: Delivery | undefined = undefined;
  private tail: Delivery | undefined = undefined;

  constructor(
    readonly key: string,
    readonly owner: LaneOwner,
  ) {}

  /** True when the delivery is the head, that is: may run at once. */
  append(delivery: Delivery): boolean {
    if (this.tail) this.tail.behind = delivery;
    else this.head = delivery;
    this.tail = delivery;
    return this.head === delivery;
  }

  /** Drops the head, which is settled. False when nothing is left. */
  advance(): boolean {
    const done = this.head;
    this.head = done?.behind;
    if (!this.head) this.tail = undefined;
    // A handler that never ends would hold on to all that comes behind it.
    if (done) done.behind = undefined;
    return this.head !== undefined;
  }
}

import type { KeyLane } from './delivery.js';
import { Fifo } from './fifo.js';
import type { Clock } from './timers.js';

/** How many handlers may start in one turn of the event loop: heartbeats, acks and publishes must not wait for a backlog. */
const STARTS_PER_TURN = 256;

/** Says when lanes must run one at a time in the whole process (see the crash journal). */
export interface OneByOne {
  readonly active: boolean;
}

/** Which key lane runs next: one ready list, first come first served, at most `concurrency` at once. Constant time per event. */
export class Scheduler {
  /** Handlers that run now. */
  running = 0;
  private readonly ready = new Fifo<KeyLane>();
  private paused = false;
  private pumping = false;
  private continuing = false;

  constructor(
    private readonly concurrency: number,
    private readonly clock: Clock,
    private readonly serial: OneByOne,
    private readonly start: (lane: KeyLane) => void,
  ) {}

  /** The head of this lane may run. Takes effect with the next `pump`. */
  enqueue(lane: KeyLane): void {
    this.ready.push(lane);
  }

  /** A handler ended: its slot is free. */
  release(): void {
    this.running -= 1;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pump();
  }

  /** Starts what may start. Safe to call from anywhere, also from a handler that ends synchronously. */
  pump(): void {
    if (this.pumping || this.continuing) return;
    this.pumping = true;
    try {
      this.startReady();
    } finally {
      this.pumping = false;
    }
  }

  private startReady(): void {
    let budget = STARTS_PER_TURN;
    while (!this.paused && this.running < (this.serial.active ? 1 : this.concurrency)) {
      if (budget === 0) return this.continueLater();
      const lane = this.ready.shift();
      if (!lane) return;
      if (!lane.owner.startable) {
        lane.owner.park(lane);
        continue;
      }
      budget -= 1;
      this.running += 1;
      this.start(lane);
    }
  }

  private continueLater(): void {
    this.continuing = true;
    this.clock.soon(() => {
      this.continuing = false;
      this.pump();
    });
  }
}

import { setImmediate as turn } from 'node:timers/promises';

import type { Clock } from '@omnibus/core/transport';

interface Alarm {
  readonly dueMs: number;
  readonly task: () => void;
}

/** Turns of the event loop after which nothing that does not wait for time is left to be done. */
const TURNS = 20;

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 2);
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const alarm: Alarm = { dueMs: this.#nowMs + delayMs, task };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  soon(task: () => void): void {
    setImmediate(task);
  }

  /** Lets everything happen that does not wait for time. */
  async settle(): Promise<void> {
    for (let n = 0; n < TURNS; n += 1) await turn();
  }

  /** Moves to the next alarm and rings it. */
  advanceToNext(): void {
    const [next] = [...this.#alarms].sort((a, b) => a.dueMs - b.dueMs);
    if (!next) return;
    this.#alarms.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.task();
  }
}

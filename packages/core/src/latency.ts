import type { LatencyStats } from './event-bus.js';

/** How many durations are kept. */
const WINDOW = 1_024;

/**
 * The most recent durations, in a ring. Recording is one store and allocates nothing; the sorting is paid by who asks,
 * and only when something was recorded since.
 */
export class LatencyRing {
  readonly #ring: Float64Array;
  #recorded = 0;
  #snapshot: LatencyStats = Object.freeze({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });

  constructor(window: number = WINDOW) {
    this.#ring = new Float64Array(window);
  }

  /** A clock that was set back gives negative durations: they count as 0. */
  record(durationMs: number): void {
    this.#ring[this.#recorded++ % this.#ring.length] = Math.max(durationMs, 0);
  }

  /** Percentiles by nearest rank of what is in the ring; `count` is how many were ever recorded. */
  snapshot(): LatencyStats {
    if (this.#snapshot.count === this.#recorded) return this.#snapshot;
    const sorted = this.#ring.slice(0, Math.min(this.#recorded, this.#ring.length)).sort();
    const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    this.#snapshot = Object.freeze({
      count: this.#recorded,
      p50Ms: rank(0.5),
      p95Ms: rank(0.95),
      p99Ms: rank(0.99),
      maxMs: rank(1),
    });
    return this.#snapshot;
  }
}

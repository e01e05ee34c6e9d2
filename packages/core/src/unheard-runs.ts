import { Fifo } from './fifo.js';
import type { InboundRecord } from './transport.js';

/** How often handlers of an event ran, by its position. */
export type RunCounts = ReadonlyMap<string, number>;

const NONE: RunCounts = new Map();

/**
 * Runs of handlers that the broker has not heard of: what was settled and is not durable, and what was running. When the
 * partition is lost they are all that tells an event that comes again from one that comes for the first time. Holds
 * positions, never records.
 */
export class UnheardRuns {
  /** Of former ownerships, and not seen again yet. */
  private readonly former = new Map<string, number>();
  /** Of former ownerships, seen again in this one. */
  private readonly repeated = new Map<string, number>();
  private readonly settled = new Fifo<readonly string[]>();
  private settledCount = 0;

  /** `mostLeft`: how much outlives a loss. What became durable unheard never comes again, and must not pile up. */
  constructor(private readonly mostLeft: number) {}

  /** Settled, and not known to be durable. */
  get undurable(): number {
    return this.settledCount;
  }

  /** What a former ownership of this process left behind. */
  recall(runs: RunCounts = NONE): void {
    for (const [position, count] of runs) this.former.set(position, count);
  }

  /** The event of this position is here. Returns how often it was handled unheard. */
  seen(position: string): number {
    const count = this.former.get(position);
    if (count === undefined) return 0;
    this.former.delete(position);
    this.repeated.set(position, count);
    return count;
  }

  /** The adapter was told that these are settled. */
  told(records: readonly InboundRecord[]): void {
    this.settled.push(records.map(({ position }) => position));
    this.settledCount += records.length;
  }

  /** The first `count` that were told are durable. `told` and `heard` cut at the same places; after `left` it is too late. */
  heard(count: number): void {
    for (let left = count; left > 0 && this.settled.length > 0; ) {
      const positions = this.settled.shift() ?? [];
      this.settledCount -= positions.length;
      for (const position of positions) this.repeated.delete(position);
      left -= positions.length;
    }
  }

  /** The partition is lost while handlers of these positions run. Returns what the next ownership has to know. */
  left(running: readonly string[]): RunCounts {
    const left = new Map(this.former);
    this.settledCount = 0;
    for (const position of [...this.settled.clear().flat(), ...running])
      left.set(position, (this.repeated.get(position) ?? 0) + 1);
    for (const oldest of left.keys()) {
      if (left.size <= this.mostLeft) break;
      left.delete(oldest);
    }
    return left;
  }
}

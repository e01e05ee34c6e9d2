import type { InboundRecord } from '../../src/transport.js';
import { Fate } from './fate.js';
import type { Life } from './time.js';

/** A handler that runs. */
export interface Running {
  readonly group: string;
  readonly key: string;
  readonly life: Life;
}

/** A partition in the hands of a process. */
interface Owned {
  readonly life: Life;
  /** The process died, or lost it. */
  interrupted(): void;
}

/** What the model is told of the scenario. */
export interface Terms {
  readonly maxAttempts: number;
  readonly concurrency: number;
  readonly maxInFlight: number;
  readonly handlers: number;
  readonly isTraced: boolean;
  readonly nowMs: () => number;
}

/**
 * The guarantees, as a reference that knows nothing of the engine: it hears what adapters and handlers see, and notes
 * what must not be.
 */
export class Model {
  readonly violations: string[] = [];
  readonly story: string[] = [];
  readonly counts: Map<string, number> = new Map<string, number>();
  readonly running: Set<Running> = new Set<Running>();
  /** Deaths of owners, and partitions taken away, by partition of a group. */
  private readonly unclean = new Map<string, number>();
  private readonly fates = new Map<string, Fate>();
  private readonly keys = new Map<string, number[]>();
  private readonly owned = new Set<Owned>();

  constructor(readonly terms: Terms) {}

  violated(what: string): void {
    this.tell(`VIOLATED ${what}`);
    this.violations.push(what);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  tell(what: string): void {
    if (this.terms.isTraced) this.story.push(`${this.terms.nowMs()} ms  ${what}`);
  }

  appended(partition: number, { key, position }: InboundRecord): void {
    this.tell(`${partition}/${position} of key ${key} is in the log`);
    this.positionsOf(partition, key ?? '').push(Number(position));
  }

  positionsOf(partition: number, key: string): number[] {
    const name = `${partition} ${key}`;
    const known = this.keys.get(name) ?? [];
    this.keys.set(name, known);
    return known;
  }

  fateOf(group: string, partition: number, position: number): Fate {
    const name = `${group} ${partition} ${position}`;
    let fate = this.fates.get(name);
    if (!fate) {
      fate = new Fate();
      this.fates.set(name, fate);
    }
    return fate;
  }

  /** An ownership began. */
  remember(owned: Owned): void {
    this.owned.add(owned);
  }

  /** Positions are settled for good: nobody will deliver them again. */
  stored(group: string, partition: number, positions: readonly number[]): void {
    for (const position of positions)
      if (!this.fateOf(group, partition, position).isCompleted)
        this.violated(`lost: ${group} committed ${partition}/${position}, which it neither handled nor kept`);
  }

  /** Called before the process is gone. */
  died(life: Life): void {
    for (const each of this.owned) if (each.life === life) each.interrupted();
    for (const run of this.running) if (run.life === life) this.running.delete(run);
  }

  endedUncleanly(partition: string): void {
    this.unclean.set(partition, (this.unclean.get(partition) ?? 0) + 1);
  }

  uncleanEnds(partition: string): number {
    return this.unclean.get(partition) ?? 0;
  }

  /** The handler of this event is about to kill its process. */
  killed(partition: string, position: string, { kills }: Fate): void {
    this.count('kill by a handler');
    const { maxAttempts } = this.terms;
    // What else ends in disorder may cost the journal what it knows; the death itself is not counted yet.
    const others = this.uncleanEnds(partition) - (kills - 1);
    if (kills > Math.max(2, maxAttempts) + Math.max(0, others))
      this.violated(`${partition}/${position} has killed its process ${kills} times`);
  }

  forget(owned: Owned): void {
    this.owned.delete(owned);
  }
}

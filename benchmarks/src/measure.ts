import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The values of what was measured, one per round, in the order of the rounds. */
export type Rounds<K extends string, T> = Readonly<Record<K, readonly T[]>>;

/** The two sides of a comparison. */
export type Side = 'bus' | 'raw';

/** What compares the bus with its broker's client. */
export const SIDES: readonly Side[] = ['bus', 'raw'];

/** How a cell is measured. */
export interface Plan {
  readonly rounds: number;
  /** Is told before every measurement. */
  readonly progress: (what: string) => void;
  /** Aborts when the run is to end: what is measured then is worth nothing. */
  readonly signal: AbortSignal;
}

/** Measures one of several things once. `round` is 0 for the warm-up. */
export type Measurement<K extends string, T> = (which: K, round: number) => Promise<T>;

/**
 * Measures several things in turn: a warm-up of each that is not counted (what runs in a process of its own needs none),
 * then the rounds. Every second round has the reverse order, so that none of them always finds the machine as the same
 * other one left it.
 */
export async function interleaved<K extends string, T>(
  plan: Plan,
  name: string,
  things: readonly K[],
  measure: Measurement<K, T>,
  { warmUp = true }: { readonly warmUp?: boolean } = {},
): Promise<Rounds<K, T>> {
  const values = Object.fromEntries(things.map((thing) => [thing, [] as T[]])) as Record<K, T[]>;
  for (let round = warmUp ? 0 : 1; round <= plan.rounds; round += 1) {
    for (const thing of round % 2 === 0 ? [...things].reverse() : things) {
      plan.signal.throwIfAborted();
      plan.progress(`${name}, ${round === 0 ? 'warm-up' : `round ${round} of ${plan.rounds}`}: ${thing}`);
      collectGarbage();
      const value = await abortable(measure(thing, round), plan.signal);
      if (round > 0) values[thing].push(value);
    }
  }
  return values;
}

/** What a measured piece of work took. */
export interface Effort {
  readonly eventsPerSecond: number;
  /** Processor time of all threads of this process, in microseconds for one event. Other processes hardly change it. */
  readonly processorUs: number;
}

/** What `work` takes, which deals with so many events. */
export async function effortOf(events: number, work: () => Promise<unknown>): Promise<Effort> {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return {
    eventsPerSecond: (events * 1_000) / (performance.now() - startedAtMs),
    processorUs: (user + system) / events,
  };
}

/** `work`, or a rejection with the signal's reason as soon as it aborts. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

let collect: (() => void) | undefined;

/** Frees what the measurement before has left, so that this one does not pay for it. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

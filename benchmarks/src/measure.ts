import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The values of both sides, one per round, in the order of the rounds. */
export interface Rounds<T> {
  readonly bus: readonly T[];
  readonly raw: readonly T[];
}

/** How a cell is measured. */
export interface Plan {
  readonly rounds: number;
  /** Is told before every measurement. */
  readonly progress: (what: string) => void;
  /** Aborts when the run is to end: what is measured then is worth nothing. */
  readonly signal: AbortSignal;
}

/** Measures one side once. `round` is 0 for the warm-up. */
export type Measurement<T> = (side: 'bus' | 'raw', round: number) => Promise<T>;

/**
 * Measures both sides in turn: a warm-up of each that is not counted, then the rounds. Who comes first alternates, so that
 * neither always finds the machine as the other left it.
 */
export async function interleaved<T>(plan: Plan, name: string, measure: Measurement<T>): Promise<Rounds<T>> {
  const values = { bus: [] as T[], raw: [] as T[] };
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (const side of round % 2 === 0 ? (['raw', 'bus'] as const) : (['bus', 'raw'] as const)) {
      plan.signal.throwIfAborted();
      plan.progress(`${name}  ${round === 0 ? 'warm-up' : `round ${round} of ${plan.rounds}`}  ${side}`);
      collectGarbage();
      const value = await abortable(measure(side, round), plan.signal);
      if (round > 0) values[side].push(value);
    }
  }
  return values;
}

/** Runs `work` and returns how many a second `count` of them are. */
export async function ratePerSecond(count: number, work: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - startedAtMs);
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

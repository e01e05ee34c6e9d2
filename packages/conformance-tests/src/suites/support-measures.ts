import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The value below which the given part (0 to 1) of the values lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** How much the values grow in a minute of their times, by least squares. */
export function slopePerMinute(samples: readonly (readonly [atMs: number, value: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const time = mean(samples.map(([atMs]) => atMs));
  const value = mean(samples.map(([, v]) => v));
  const together = samples.reduce((sum, [atMs, v]) => sum + (atMs - time) * (v - value), 0);
  const spread = samples.reduce((sum, [atMs]) => sum + (atMs - time) ** 2, 0);
  return spread === 0 ? 0 : (together / spread) * 60_000;
}

/**
 * Tries up to `times` times and resolves with the first success, or rejects as the last try did. For what depends on the
 * clock of a machine that others use too: a bus that is too slow is too slow each time.
 */
export async function bestOf<T>(times: number, attempt: (round: number) => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await attempt(round);
    } catch (error) {
      if (round >= times) throw error;
    }
  }
}

/** Collects what nobody holds, and tells how much of the heap (and of buffers) is left. */
export function heapBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (!collect) {
    // Exposed while the process runs, so that nobody has to start it with a flag.
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

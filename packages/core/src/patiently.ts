import { delay, reconnectDelayMs } from './delay.js';
import { Elapsed } from './elapsed.js';
import type { BusError } from './errors.js';

/** How long something is tried again. */
export interface Patience {
  /** After that the next failure is final. */
  readonly timeoutMs: number;
  /** What a failure means. One that is not `retryable` is final at once. */
  readonly asBusError: (error: unknown) => BusError;
  /** Nobody needs it any more. */
  readonly isOver: () => boolean;
}

/** Works out failures of the moment, with growing pauses: a node that restarts is back soon. Rejects with the final one. */
export async function patiently<T>(
  work: () => Promise<T>,
  { timeoutMs, asBusError, isOver }: Patience,
): Promise<T> {
  const since = new Elapsed();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const reason = asBusError(error);
      if (!reason.retryable || isOver() || since.ms > timeoutMs) throw reason;
      await delay(reconnectDelayMs(attempt));
    }
  }
}

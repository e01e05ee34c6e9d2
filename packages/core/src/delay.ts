import { backoffDelayMs } from './retry.js';

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** How long to wait before try `attempt` (from 1) of something that must succeed in the end. */
export function reconnectDelayMs(attempt: number): number {
  return backoffDelayMs(Math.min(attempt, 30), {
    baseDelayMs: 50,
    factor: 2,
    maxDelayMs: 5_000,
    jitter: 0.2,
  });
}

/** Settles like `work`, or rejects with what `late` makes when it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  // When the time is up nobody waits for the work any more; its failure must not be an unhandled one.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise to be resolved from outside. Resolving it again does nothing. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

/** A promise that is not resolved yet. */
export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

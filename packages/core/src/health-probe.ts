import { describeError } from './describe-error.js';
import { BusError, isBusError } from './errors.js';

/** What a question to the broker came to. */
export type Probe<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: BusError };

/** Asks, and waits no longer than `timeoutMs`. Never rejects; an answer that comes too late is ignored. */
export async function probe<T>(what: string, ask: () => Promise<T>, timeoutMs: number): Promise<Probe<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Probe<T>>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, error: new BusError('TIMEOUT', `${what}: no answer within ${timeoutMs} ms`) });
    }, timeoutMs);
  });
  try {
    return await Promise.race([answer(what, ask), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function answer<T>(what: string, ask: () => Promise<T>): Promise<Probe<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (cause) {
    return {
      ok: false,
      error: isBusError(cause)
        ? cause
        : new BusError('BROKER', `${what}: ${describeError(cause).message}`, { cause }),
    };
  }
}

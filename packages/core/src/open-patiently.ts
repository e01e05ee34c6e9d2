import { deferred, delay, reconnectDelayMs, within } from './delay.js';
import { BusError } from './errors.js';

/** Something that is made anew when it could not be opened. */
export interface Openable {
  open(): Promise<void>;
  /** Also in the middle of `open`, which nobody waits for any more; also more than once. */
  close(): Promise<void>;
}

/** How long opening is tried. */
export interface OpenPatience {
  /** `connectTimeoutMs` of the bus. */
  readonly timeoutMs: number;
  /** What a failure means. One that is not `retryable` is final at once. */
  readonly asBusError: (error: unknown) => BusError;
  /** Nobody needs it any more. */
  readonly signal: AbortSignal;
}

/**
 * Opens what `make` makes, anew after each failure of the moment, with growing pauses: a broker that starts is there soon.
 * Rejects in time, with the last failure as the reason; then everything that was made is closed.
 */
export async function openPatiently<T extends Openable>(make: () => T, patience: OpenPatience): Promise<T> {
  const { timeoutMs, asBusError, signal } = patience;
  const over = new AbortController();
  const unneeded = deferred();
  let current: T | undefined;
  let last: BusError | undefined;
  const end = (): void => {
    over.abort();
    unneeded.resolve();
  };
  const tries = async (): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      current = make();
      try {
        await current.open();
        return current;
      } catch (error) {
        last = asBusError(error);
        await current.close();
      }
      if (last.retryable) await delay(reconnectDelayMs(attempt), over.signal);
      if (!last.retryable || over.signal.aborted) throw last;
    }
  };
  const late = (): BusError =>
    new BusError(
      'CONNECT',
      `Not connected within connectTimeoutMs (${timeoutMs} ms): ${last?.message ?? 'nothing answers'}`,
      { cause: last },
    );
  signal.addEventListener('abort', end);
  try {
    const opened = await within(timeoutMs, Promise.race([tries(), unneeded.promise]), late);
    if (opened) return opened;
    throw last ?? new BusError('CONNECT', 'Connecting was given up');
  } catch (error) {
    end();
    await current?.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

import { AssertionError } from 'node:assert';

import { type BusError, type BusStatus, type EventBus, isBusError } from '@omnibus/core';

import type { BusOverrides } from '../subject.js';

export { randomFrom } from '../random.js';

/** Retries that do not make a test wait. */
export function quickRetries(maxRetries: number, baseDelayMs = 10): BusOverrides {
  return { retry: { maxRetries, baseDelayMs, maxDelayMs: baseDelayMs * 4, jitter: 0 } };
}

/** The `BusError` that `call` fails with. Fails when it succeeds, or fails with anything else. */
export async function failureOf(what: string, call: () => unknown): Promise<BusError> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    if (isBusError(error)) return error;
    throw new AssertionError({
      message: `${what} failed with something that is no BusError: ${String(error)}`,
    });
  }
  throw new AssertionError({ message: `${what} was expected to fail, and resolved to ${String(result)}` });
}

/** Fails unless `call` fails with a `BusError` of this code. */
export async function failsWith(
  what: string,
  code: BusError['code'],
  call: () => unknown,
): Promise<BusError> {
  const error = await failureOf(what, call);
  if (error.code === code) return error;
  throw new AssertionError({
    message: `${what} failed with ${error.code} instead of ${code}: ${error.message}`,
    actual: error.code,
    expected: code,
  });
}

/** What a bus told through `status()` since the call. Ends with the bus. */
export function statusesOf(bus: EventBus): readonly BusStatus[] {
  const seen: BusStatus[] = [];
  // Asked for at once: the stream begins with the call, not with the first look.
  const stream = bus.status()[Symbol.asyncIterator]();
  const read = async (): Promise<void> => {
    for (let next = await stream.next(); !next.done; next = await stream.next()) seen.push(next.value);
  };
  void read();
  return seen;
}

/** A promise that is settled from outside. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Something a handler waits at until the test lets it go on. */
export function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

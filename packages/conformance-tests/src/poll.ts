import { inspect } from 'node:util';

/** How long to wait, and how often to look. */
export interface PollOptions {
  readonly withinMs: number;
  /** @default 5 */
  readonly everyMs?: number;
}

/** What was waited for did not happen in time. The message says what, how long, and what was seen last. */
export class DeadlineError extends Error {
  constructor(what: string, withinMs: number, last: string) {
    super(`Waited ${withinMs} ms for ${what}; last seen: ${last}`);
    this.name = 'DeadlineError';
  }
}

/** What a probe may say: anything truthy ends the wait and is the result. */
export type Found<T> = Exclude<T, false | null | undefined | 0 | ''>;

const DEFAULT_EVERY_MS = 5;

function describe(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 20 });
}

/** Resolves after `ms`. For back-off between two looks, never to hope that something has happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Looks until `probe` says something truthy, and resolves to it. Rejects with `DeadlineError` after `withinMs`. A probe
 * that throws has not found it yet; its last error is named when the time is up.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: PollOptions,
): Promise<Found<T>> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    let last: string;
    try {
      const seen = await probe();
      if (seen) return seen as Found<T>;
      last = describe(seen);
    } catch (error) {
      last = describe(error);
    }
    if (performance.now() >= deadline) throw new DeadlineError(what, options.withinMs, last);
    await pause(options.everyMs ?? DEFAULT_EVERY_MS);
  }
}

/** Resolves or rejects as `promise` does; rejects with `DeadlineError` when it has done neither after `withinMs`. */
export async function within<T>(what: string, promise: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(what, withinMs, 'still pending')), withinMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Watches that something stays true, and rejects as soon as it is not. That nothing happens can only be seen by
 * looking for a while: keep `forMs` as short as the claim allows, and prefer a later event whose arrival proves that
 * nothing else is still on its way.
 */
export async function staysTrue(
  what: string,
  probe: () => boolean | Promise<boolean>,
  forMs: number,
): Promise<void> {
  const end = performance.now() + forMs;
  do {
    if (!(await probe())) throw new Error(`Did not stay true for ${forMs} ms: ${what}`);
    await pause(DEFAULT_EVERY_MS);
  } while (performance.now() < end);
}

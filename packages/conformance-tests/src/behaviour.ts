import { setImmediate as turn } from 'node:timers/promises';

import { type DomainEvent, type HandlerContext, NonRetryableError } from '@omnibus/core';

import { pause } from './poll.js';

/**
 * What a handler does with an event, told by the event itself (`data.behaviour`): so a test controls handlers in other
 * processes too, and knows of each event what must happen to it. All of it is plain JSON.
 */
export interface Behaviour {
  /** How long the handler takes. @default 0 */
  readonly workMs?: number;
  /** Fails in this many attempts, then succeeds. @default 0 */
  readonly failAttempts?: number;
  /** Fails always, with a `NonRetryableError`. @default false */
  readonly nonRetryable?: boolean;
  /** The process kills itself (`SIGKILL`) in this many attempts. @default 0 */
  readonly dieAttempts?: number;
  /** Blocks the event loop, so that nothing else in the process runs either. @default 0 */
  readonly blockMs?: number;
  /** Never ends, not even when told to by the signal. @default false */
  readonly hang?: boolean;
  /** Waits in this many attempts until the signal aborts, and fails then. @default 0 */
  readonly stuckAttempts?: number;
  /** Work ends early, and fails, when the signal aborts. @default false */
  readonly heedsSignal?: boolean;
}

/** The behaviour that an event asks for. */
export function behaviourOf(event: DomainEvent): Behaviour {
  return (event.data.behaviour as Behaviour | undefined) ?? {};
}

/** Does what the event asks for. To be used as the body of a handler. */
export async function behave(event: DomainEvent, context: HandlerContext): Promise<void> {
  const asked = behaviourOf(event);
  if (asked.dieAttempts && context.attempt <= asked.dieAttempts) await die();
  if (asked.blockMs) block(asked.blockMs);
  if (asked.workMs)
    await (asked.heedsSignal ? pauseUnless(context.signal, asked.workMs) : pause(asked.workMs));
  if (asked.stuckAttempts && context.attempt <= asked.stuckAttempts) await aborted(context.signal);
  if (asked.hang) await new Promise(() => {});
  if (asked.nonRetryable) throw new NonRetryableError(`asked not to be retried: ${event.eventId}`);
  if (asked.failAttempts && context.attempt <= asked.failAttempts) {
    throw new Error(`asked to fail in attempt ${context.attempt} of ${asked.failAttempts}`);
  }
}

async function die(): Promise<void> {
  process.kill(process.pid, 'SIGKILL');
  // The signal arrives when the event loop turns at the latest; nothing may go on before.
  for (;;) await turn();
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const told = (): void => reject(new Error('told to stop by the signal'));
    if (signal.aborted) told();
    else signal.addEventListener('abort', told, { once: true });
  });
}

async function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  const end = aborted(signal);
  // Whoever loses the race is heard by nobody.
  end.catch(() => {});
  await Promise.race([pause(ms), end]);
}

/** Keeps the event loop of this process busy. */
export function block(forMs: number): void {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    // Busy on purpose.
  }
}

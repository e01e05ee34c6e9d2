import { isBusError } from './errors.js';
import type { DomainEvent } from './event.js';
import type { DeadLetterReason } from './event-bus.js';
import type { RetryPolicy } from './options.js';

/** What becomes of an event whose handlers failed. */
export type RetryDecision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | {
      readonly kind: 'dead-letter';
      readonly reason: Extract<DeadLetterReason, 'max-retries' | 'non-retryable'>;
    };

/** How the waits between attempts grow. */
export type Backoff = Pick<RetryPolicy, 'baseDelayMs' | 'factor' | 'maxDelayMs' | 'jitter'>;

/** A failed attempt. */
export interface FailedAttempt {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  /** What the handler threw: anything. */
  readonly error: unknown;
  readonly policy: RetryPolicy;
  readonly event: DomainEvent;
  /** Gives a number from 0 (inclusive) to 1 (exclusive). @default Math.random */
  readonly random?: () => number;
}

/**
 * How long to wait after attempt `attempt` (from 1) failed: `baseDelayMs × factor^(attempt − 1)`, at most `maxDelayMs`,
 * spread by ±`jitter`. The spread never goes beyond `maxDelayMs`.
 */
export function backoffDelayMs(
  attempt: number,
  policy: Pick<RetryPolicy, 'baseDelayMs' | 'factor' | 'maxDelayMs' | 'jitter'>,
  random: () => number = Math.random,
): number {
  const { baseDelayMs, factor, maxDelayMs, jitter } = policy;
  const delayMs = baseDelayMs === 0 ? 0 : Math.min(maxDelayMs, baseDelayMs * factor ** (attempt - 1));
  const spread = 1 + jitter * (2 * random() - 1);
  return Math.min(maxDelayMs, Math.round(delayMs * spread));
}

/** Again after a delay, or a dead letter. `maxRetries` N means at most N + 1 attempts. */
export function decideRetry(failed: FailedAttempt): RetryDecision {
  const { attempt, error, policy, event, random } = failed;
  if (isNonRetryable(error) || !mayRetry(error, policy, event))
    return { kind: 'dead-letter', reason: 'non-retryable' };
  if (attempt > policy.maxRetries) return { kind: 'dead-letter', reason: 'max-retries' };
  return { kind: 'retry', delayMs: backoffDelayMs(attempt, policy, random) };
}

function isNonRetryable(error: unknown): boolean {
  try {
    return isBusError(error) && error.code === 'NON_RETRYABLE';
  } catch {
    return false; // A hostile getter or proxy: an error like any other.
  }
}

/** A predicate that throws does not decide: giving an event up needs a clear no. */
function mayRetry(error: unknown, policy: RetryPolicy, event: DomainEvent): boolean {
  try {
    return policy.retryIf?.(error, event) !== false;
  } catch {
    return true;
  }
}

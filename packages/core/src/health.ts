import type { BusError } from './errors.js';
import type { Health } from './event-bus.js';
import type { Probe } from './health-probe.js';
import type { BusState } from './status.js';

/** What the bus knows of itself when it is asked for its health. */
export interface HealthFacts {
  readonly state: BusState;
  readonly consuming: boolean;
  readonly nowMs: number;
  /** The last confirmed publish or settled delivery, in milliseconds since the epoch; 0 for never. */
  readonly lastProgressAtMs: number;
  /** When the oldest delivery that is not settled came, in milliseconds since the epoch. */
  readonly oldestInFlightAtMs: number | undefined;
  readonly lastError: BusError | undefined;
  /** Partitions that stand still because dead letters are disabled and the policy is `halt`. */
  readonly haltedPartitions: readonly number[];
  /** Undefined when the broker was not asked, because there is no connection to ask on. */
  readonly ping: Probe<unknown> | undefined;
  readonly lag: Probe<number> | undefined;
}

/**
 * Judges the facts. An idle bus is healthy as long as no attempt to connect has failed: it connects when it is needed,
 * and a readiness probe that waited for that would keep the work away that makes it connect.
 */
export function healthOf(facts: HealthFacts): Health {
  const reason = unhealthyBecause(facts);
  return {
    healthy: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    state: facts.state,
    connected: facts.state === 'ready' && facts.ping?.ok !== false,
    consuming: facts.consuming,
    secondsSinceProgress:
      facts.lastProgressAtMs === 0 ? undefined : elapsedMs(facts, facts.lastProgressAtMs) / 1_000,
    lag: facts.lag?.ok ? facts.lag.value : undefined,
    oldestInFlightMs:
      facts.oldestInFlightAtMs === undefined ? undefined : elapsedMs(facts, facts.oldestInFlightAtMs),
    lastError: facts.lastError,
  };
}

function unhealthyBecause({ state, lastError, ping, haltedPartitions }: HealthFacts): string | undefined {
  const told = lastError ? `: ${lastError.message}` : '';
  switch (state) {
    case 'idle':
      return lastError ? `not connected${told}` : undefined;
    case 'connecting':
      return `not connected yet${told}`;
    case 'reconnecting':
      return `the connection to the broker is lost${told}`;
    case 'draining':
      return 'the bus is shutting down';
    case 'closed':
      return 'the bus is shut down';
    case 'ready':
      if (ping?.ok === false) return `the broker does not answer: ${ping.error.message}`;
      if (haltedPartitions.length > 0) {
        return `halted on partition ${haltedPartitions.join(', ')}: an event was given up and dead letters are disabled`;
      }
      return undefined;
  }
}

/** Never negative: a clock may be set back. */
function elapsedMs({ nowMs }: HealthFacts, sinceMs: number): number {
  return Math.max(0, nowMs - sinceMs);
}

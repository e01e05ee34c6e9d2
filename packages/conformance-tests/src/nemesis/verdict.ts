import type { EventBusStats } from '@omnibus/core';

import { ANOMALIES, type AnomalyKind, type CheckReport, check } from '../checker.js';
import type { DeliveryRecord, HistorySnapshot } from '../history.js';
import type { Counted } from './crew.js';
import type { Breach } from './key-history.js';
import { judgeLetters, type Letter, type LetterVerdict } from './letters.js';
import { type Fate, MAX_RETRIES } from './traffic.js';

/** What one group is judged by. */
export interface GroupVerdict {
  readonly group: string;
  readonly check: CheckReport;
  readonly letters: LetterVerdict;
}

/** What faults may cause: everything else is a breach. */
const TOLERATED: readonly AnomalyKind[] = ['duplicated', 'recovered'];

/** Judges what one group saw. Pure. */
export function judgeGroup(
  history: HistorySnapshot,
  group: string,
  letters: readonly Letter[],
  fates: ReadonlyMap<string, Fate>,
): GroupVerdict {
  const givenUp = new Set(letters.map(({ eventId }) => eventId));
  const isFinal = (run: DeliveryRecord): boolean =>
    run.outcome === 'failed' && (run.attempt > MAX_RETRIES || fates.get(run.eventId) === 'non-retryable');
  return {
    group,
    check: check(history, { group, givenUp, isFinal, maxAttempts: MAX_RETRIES + 1 }),
    letters: judgeLetters(history, group, letters, fates),
  };
}

/** Everything that is wrong, the worst first. */
export function breachesOf({ group, check: report, letters }: GroupVerdict): readonly Breach[] {
  const kinds = ANOMALIES.filter((kind) => !TOLERATED.includes(kind));
  return [
    ...kinds.flatMap((kind) => report[kind].map((anomaly) => ({ group, kind, anomaly }))),
    ...letters.missing.map((anomaly) => ({ group, kind: 'missing dead letter', anomaly })),
    ...letters.unexpected.map((anomaly) => ({ group, kind: 'unexpected dead letter', anomaly })),
  ];
}

/** Consumers whose counters do not add up: what they took in is not what became of it. */
export function unbalanced(counted: readonly Counted[]): readonly string[] {
  return counted.flatMap(({ consumer, stats }) => {
    const accounted = accountedFor(stats);
    return accounted === stats.eventsConsumed
      ? []
      : [`${consumer} consumed ${stats.eventsConsumed} events and accounts for ${accounted}`];
  });
}

function accountedFor(stats: EventBusStats): number {
  return (
    stats.eventsProcessedSuccess +
    stats.messagesSentToDlq +
    stats.eventsDropped +
    stats.eventsIgnored +
    stats.eventsReleased +
    stats.inFlight
  );
}

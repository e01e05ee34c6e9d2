import type { Anomaly } from '../checker.js';
import type { DeliveryRecord, HistorySnapshot } from '../history.js';
import type { Fate } from './traffic.js';

/** A dead letter, as far as it is judged. */
export interface Letter {
  readonly eventId: string;
  readonly reason: string;
}

/** What was found in the dead letter queue of one group. */
export interface LetterVerdict {
  /** Confirmed events that must be there and are not. */
  readonly missing: readonly Anomaly[];
  /** Those that are there and should not be, or for another reason. */
  readonly unexpected: readonly Anomaly[];
  /**
   * Given up as `crash` although they harm nobody: all attempts went into their own failures and into deaths of their
   * consumers, and at the last of those they were in hand. Failures and deaths are counted together.
   */
  readonly unlucky: readonly Anomaly[];
  readonly events: number;
}

/** Compares the dead letters of a group with what must become of each event. Pure. */
export function judgeLetters(
  history: HistorySnapshot,
  group: string,
  letters: readonly Letter[],
  fates: ReadonlyMap<string, Fate>,
): LetterVerdict {
  const reasons = new Map(letters.map(({ eventId, reason }) => [eventId, reason]));
  const inHand = eventsInHandAtALoss(history.deliveries.filter((run) => run.group === group));
  const missing: Anomaly[] = [];
  const unexpected: Anomaly[] = [];
  const unlucky: Anomaly[] = [];
  for (const { eventId, key, sequence, outcome } of history.publishes) {
    const fate = fates.get(eventId) ?? 'handled';
    const reason = reasons.get(eventId);
    const found = (detail: string): Anomaly => ({ eventId, key, sequence, detail });
    if (reason === undefined) {
      if (fate !== 'handled' && outcome === 'ok') missing.push(found(`no dead letter: ${fate}`));
    } else if (reason === fate) continue;
    else if (reason === 'crash' && inHand.has(eventId)) unlucky.push(found('given up after deaths'));
    else unexpected.push(found(`dead letter: ${reason}, instead of ${fate}`));
  }
  const known = new Set(history.publishes.map(({ eventId }) => eventId));
  for (const { eventId, reason } of letters) {
    if (!known.has(eventId))
      unexpected.push({
        eventId,
        key: '?',
        sequence: 0,
        detail: `dead letter of an unknown event: ${reason}`,
      });
  }
  return { missing, unexpected, unlucky, events: reasons.size };
}

/**
 * Events that a consumer had in hand when it lost their partition: those that were running when it died or had to stop,
 * and the last one it had started there. One that waits for its next attempt has ended, and is in hand all the same.
 */
function eventsInHandAtALoss(runs: readonly DeliveryRecord[]): ReadonlySet<string> {
  const inHand = new Set<string>();
  const latest = new Map<number, DeliveryRecord>();
  for (const run of runs) {
    const before = latest.get(run.partition);
    if (before && before.consumer !== run.consumer) inHand.add(before.eventId);
    latest.set(run.partition, run);
    if (run.abandonedAtMs !== undefined || run.error?.includes('told to stop by the signal'))
      inHand.add(run.eventId);
  }
  for (const run of latest.values()) inHand.add(run.eventId);
  return inHand;
}

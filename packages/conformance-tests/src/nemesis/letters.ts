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
   * Given up as `crash` although they harm nobody: their consumers died or were cut off so often that all attempts went
   * into it, and they were running at the last.
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
  const interrupted = interruptedEvents(history.deliveries.filter((run) => run.group === group));
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
    else if (reason === 'crash' && interrupted.has(eventId)) unlucky.push(found('given up after deaths'));
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

/** Events that were running when their consumer died, or lost the partition and had to stop. */
function interruptedEvents(runs: readonly DeliveryRecord[]): ReadonlySet<string> {
  const cutShort = (run: DeliveryRecord): boolean =>
    run.abandonedAtMs !== undefined ||
    (run.outcome === 'failed' && run.error?.includes('told to stop by the signal') === true);
  return new Set(runs.filter(cutShort).map(({ eventId }) => eventId));
}

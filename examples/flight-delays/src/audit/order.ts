import type { HandlerRun } from '../handler-run.js';
import { LAST_ATTEMPT } from '../retry.js';

/**
 * How many runs of one group were out of order. Per airport the runs are taken as they started. A run is out of order
 *
 * - when a run of a later version of the airport started before it, although its event had not been settled by then:
 *   whether it is the event's first run, or a retry that let a later event pass; or
 * - when the run before it had not ended yet.
 *
 * An event is settled when it was handled, or failed at its last attempt and is listed in `deadLetters`. When such an
 * event comes again, that is no matter of order: the audit counts it as duplicated, or as a replay.
 */
export function countReordered(runs: readonly HandlerRun[], deadLetters: ReadonlySet<string>): number {
  const airports = new Map<string, Airport>();
  let reordered = 0;
  for (const run of [...runs].sort((one, other) => one.startedAtUs - other.startedAtUs)) {
    const airport = airports.get(run.airport) ?? { latest: 0, freeFromUs: 0, settled: new Set() };
    airports.set(run.airport, airport);
    const isLate = run.version < airport.latest && !airport.settled.has(run.eventId);
    if (isLate || run.startedAtUs < airport.freeFromUs) reordered += 1;
    airport.latest = Math.max(airport.latest, run.version);
    airport.freeFromUs = Math.max(airport.freeFromUs, run.endedAtUs);
    if (settles(run, deadLetters)) airport.settled.add(run.eventId);
  }
  return reordered;
}

interface Airport {
  /** The latest version that has started. */
  latest: number;
  /** When every run so far has ended. */
  freeFromUs: number;
  /** Ids of the events that are settled. */
  readonly settled: Set<string>;
}

function settles({ outcome, attempt, eventId }: HandlerRun, deadLetters: ReadonlySet<string>): boolean {
  return outcome === 'handled' || (attempt >= LAST_ATTEMPT && deadLetters.has(eventId));
}

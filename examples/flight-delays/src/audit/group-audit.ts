import type { GroupName } from '../groups.js';
import type { HandlerRun } from '../handler-run.js';
import { countReordered } from './order.js';

/** An event as it was published. */
export interface PublishedEvent {
  readonly eventId: string;
  readonly aggregateId: string;
  readonly aggregateVersion: number;
}

/** What happened to a group, as far as its audit needs it. */
export interface GroupEvidence {
  readonly group: GroupName;
  readonly published: readonly PublishedEvent[];
  /** Every run of the group's handler. */
  readonly runs: readonly HandlerRun[];
  /** Ids of the events that the bus listed as the group's dead letters, once each. */
  readonly deadLetters: ReadonlySet<string>;
  /** When publishing began, by `nowUs`. */
  readonly publishedAtUs: number;
  /** When the dead letters were given back to the group, by `nowUs`. */
  readonly replayedAtUs: number;
}

/** What the audit says of a group. */
export interface GroupAudit {
  readonly group: GroupName;
  /** Published events that were handled, each counted once. */
  readonly handled: number;
  /** Published events that were never handled, replays included. */
  readonly lost: number;
  /** Successful runs beyond the first of an event. */
  readonly duplicated: number;
  /** By `countReordered`, for the stream and for the replayed dead letters each on its own. */
  readonly reordered: number;
  /** Runs after the first attempt. */
  readonly retried: number;
  readonly deadLettered: number;
  /** Dead letters that were handled after they had been given back. */
  readonly replayed: number;
  /** Runs of events that nobody published, or whose airport or version is another than was published. */
  readonly foreign: number;
  /** From the first publish to the last event of the stream that was handled. */
  readonly eventsPerSecond: number;
}

/** Audits a group. */
export function auditGroup(evidence: GroupEvidence): GroupAudit {
  const { group, published, runs, deadLetters } = evidence;
  const ids = new Map(published.map((event) => [event.eventId, event]));
  const own = runs.filter((run) => isOf(ids.get(run.eventId), run));
  const successes = own.filter(({ outcome }) => outcome === 'handled');
  const handled = new Set(successes.map(({ eventId }) => eventId));
  const { stream, replays } = split(own, evidence);
  const replayed = new Set(
    replays.filter(({ outcome }) => outcome === 'handled').map(({ eventId }) => eventId),
  );
  return {
    group,
    handled: handled.size,
    lost: ids.size - handled.size,
    duplicated: successes.length - handled.size,
    reordered: countReordered(stream, deadLetters) + countReordered(replays, new Set()),
    retried: own.filter(({ attempt }) => attempt > 1).length,
    deadLettered: deadLetters.size,
    replayed: replayed.size,
    foreign: runs.length - own.length,
    eventsPerSecond: rateOf(stream, evidence.publishedAtUs),
  };
}

function rateOf(stream: readonly HandlerRun[], publishedAtUs: number): number {
  const handled = stream.filter(({ outcome }) => outcome === 'handled');
  const endedAtUs = handled.reduce((latest, run) => Math.max(latest, run.endedAtUs), publishedAtUs);
  return handled.length === 0 ? 0 : handled.length / ((endedAtUs - publishedAtUs) / 1e6);
}

/**
 * A dead-lettered event has left its place in the stream: its replay comes later by intention. Replays are told from
 * the stream by both the event, which must be a listed dead letter, and the time. They have an order of their own.
 */
function split(
  runs: readonly HandlerRun[],
  { deadLetters, replayedAtUs }: GroupEvidence,
): { readonly stream: readonly HandlerRun[]; readonly replays: readonly HandlerRun[] } {
  const isReplay = (run: HandlerRun): boolean =>
    deadLetters.has(run.eventId) && run.startedAtUs >= replayedAtUs;
  return { stream: runs.filter((run) => !isReplay(run)), replays: runs.filter(isReplay) };
}

function isOf(event: PublishedEvent | undefined, run: HandlerRun): boolean {
  return event?.aggregateId === run.airport && event.aggregateVersion === run.version;
}

import type { Evidence } from '../src/audit/audit.js';
import type { PublishedEvent } from '../src/audit/group-audit.js';
import type { BusCounters } from '../src/consumers/counters.js';
import { GROUPS, type GroupName } from '../src/groups.js';
import type { HandlerRun } from '../src/handler-run.js';

/** When the dead letters were replayed. */
export const REPLAYED_AT_US = 1_000_000;

/** Events of an airport, from version 1. */
export function departures(airport: string, count: number): PublishedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    eventId: `${airport}-${index + 1}`,
    aggregateId: airport,
    aggregateVersion: index + 1,
  }));
}

/** A successful run of 10 µs. */
export function run(
  airport: string,
  version: number,
  startedAtUs: number,
  changes: Partial<HandlerRun> = {},
): HandlerRun {
  return {
    group: 'delay-board',
    consumer: 'consumer-1',
    eventId: `${airport}-${version}`,
    airport,
    version,
    attempt: 1,
    outcome: 'handled',
    startedAtUs,
    endedAtUs: startedAtUs + 10,
    destination: 'SFO',
    delayMinutes: 0,
    ...changes,
  };
}

/** Runs of an airport's versions one after the other. */
export function runs(
  airport: string,
  versions: readonly number[],
  changes: Partial<HandlerRun> = {},
): HandlerRun[] {
  return versions.map((version, index) => run(airport, version, index * 100, changes));
}

/** The counters of a bus that did exactly these runs. */
export function honestCounters(group: GroupName, done: readonly HandlerRun[], deadLetters = 0): BusCounters {
  const own = done.filter((entry) => entry.group === group);
  return {
    group,
    eventsProcessedSuccess: own.filter(({ outcome }) => outcome === 'handled').length,
    eventsProcessedFailed: own.filter(({ outcome }) => outcome === 'failed').length,
    retries: own.filter(({ attempt }) => attempt > 1).length,
    messagesSentToDlq: deadLetters,
  };
}

/** A run of the demo in which both groups did the given runs, with honest counters and nothing else of note. */
export function evidence(
  published: readonly PublishedEvent[],
  ofBoard: readonly HandlerRun[],
  changes: Partial<Evidence> = {},
): Evidence {
  const ofRoutes = published.map(({ aggregateId, aggregateVersion }, index) =>
    run(aggregateId, aggregateVersion, index * 100, { group: 'route-count' }),
  );
  const done = [...ofBoard, ...ofRoutes];
  const deadLetters = changes.deadLetters ?? noIds;
  return {
    published,
    publishedByBus: published.length,
    runs: done,
    deadLetters,
    doomed: deadLetters,
    deadLettersLeft: 0,
    publishedAtUs: 0,
    replayedAtUs: REPLAYED_AT_US,
    died: new Set(),
    counters: GROUPS.map((group) => honestCounters(group, done, deadLetters[group].size)),
    differing: { 'delay-board': [], 'route-count': [] },
    ...changes,
  };
}

const noIds = { 'delay-board': new Set<string>(), 'route-count': new Set<string>() };

/** Ids of dead letters of the delay board. */
export function deadLetters(...eventIds: readonly string[]): Evidence['deadLetters'] {
  return { ...noIds, 'delay-board': new Set(eventIds) };
}

import type { BusCounters } from '../consumers/counters.js';
import { GROUPS, type GroupName } from '../groups.js';
import type { HandlerRun } from '../handler-run.js';
import { type CounterCheck, checkCounters } from './counter-check.js';
import { auditGroup, type GroupAudit, type PublishedEvent } from './group-audit.js';

/** Everything that the audit goes by. */
export interface Evidence {
  readonly published: readonly PublishedEvent[];
  /** `eventsPublished` of the publishing bus. */
  readonly publishedByBus: number;
  readonly runs: readonly HandlerRun[];
  /** Ids of the dead letters that the bus listed, by group. */
  readonly deadLetters: Readonly<Record<GroupName, ReadonlySet<string>>>;
  /** Ids of the events that had to become dead letters, by group. */
  readonly doomed: Readonly<Record<GroupName, ReadonlySet<string>>>;
  /** How many dead letters were left after the replay. */
  readonly deadLettersLeft: number;
  readonly publishedAtUs: number;
  readonly replayedAtUs: number;
  readonly died: ReadonlySet<string>;
  readonly counters: readonly BusCounters[];
  /** Airports and routes whose result through the bus is not that of the file. */
  readonly differing: Readonly<Record<GroupName, readonly string[]>>;
}

/** The audit of a run. */
export interface Audit {
  readonly published: number;
  readonly groups: readonly GroupAudit[];
  readonly counters: Readonly<Record<GroupName, readonly CounterCheck[]>>;
  /** Consumers that died. */
  readonly died: number;
  /** What is wrong, in words. Empty: clean. */
  readonly problems: readonly string[];
}

/** Audits all groups, and says what is wrong. */
export function audit(evidence: Evidence): Audit {
  const { published, publishedByBus, died } = evidence;
  const runsOf = (group: GroupName): readonly HandlerRun[] =>
    evidence.runs.filter((run) => run.group === group);
  const groups = GROUPS.map((group) =>
    auditGroup({ ...evidence, group, runs: runsOf(group), deadLetters: evidence.deadLetters[group] }),
  );
  const countersOf = (group: GroupName): readonly CounterCheck[] =>
    checkCounters(group, evidence.counters, runsOf(group), evidence.deadLetters[group].size);
  const counters = { 'delay-board': countersOf('delay-board'), 'route-count': countersOf('route-count') };
  const problems = groups.flatMap((group) => groupProblems(group, evidence));
  if (publishedByBus !== published.length) {
    problems.push(`the publishing bus counted ${publishedByBus} events instead of ${published.length}`);
  }
  if (evidence.deadLettersLeft > 0)
    problems.push(`${evidence.deadLettersLeft} dead letters are left after the replay`);
  // The counters of a dead process died with it.
  if (died.size === 0) problems.push(...GROUPS.flatMap((group) => counterProblems(group, counters[group])));
  return { published: published.length, groups, counters, died: died.size, problems };
}

function groupProblems(audited: GroupAudit, evidence: Evidence): string[] {
  const { group, lost, reordered, duplicated, foreign, replayed } = audited;
  const letters = evidence.deadLetters[group];
  const doomed = evidence.doomed[group];
  const nobodyDied = evidence.died.size === 0;
  const differing = evidence.differing[group];
  const spared = [...doomed].filter((eventId) => !letters.has(eventId)).length;
  const others = [...letters].filter((eventId) => !doomed.has(eventId)).length;
  const problems = [
    lost > 0 && `${lost} events were lost`,
    reordered > 0 && `${reordered} runs were out of order`,
    foreign > 0 && `${foreign} runs were of events that were not published like this`,
    nobodyDied && duplicated > 0 && `${duplicated} events were handled again, though no process died`,
    spared > 0 && `${spared} events that fail for good are not among the dead letters`,
    nobodyDied && others > 0 && `${others} dead letters are of events that do not fail for good`,
    nobodyDied &&
      replayed < letters.size &&
      `${letters.size - replayed} dead letters were not handled after the replay`,
    differing.length > 0 && `the result differs from the file's: ${differing.slice(0, 10).join(', ')}`,
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `${group}: ${problem}`);
}

function counterProblems(group: GroupName, checks: readonly CounterCheck[]): string[] {
  return checks
    .filter(({ bus, recorded }) => bus !== recorded)
    .map(
      ({ counter, bus, recorded }) =>
        `${group}: the bus says ${counter} ${bus}, the handlers recorded ${recorded}`,
    );
}

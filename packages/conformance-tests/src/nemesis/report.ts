import type { FaultKind, ScheduledFault } from './schedule.js';

/** How a run of the nemesis ended. Plain data: it can be written as JSON. */
export interface NemesisReport {
  readonly bus: string;
  readonly broker: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly clean: boolean;
  readonly schedule: readonly ScheduledFault[];
  readonly faults: readonly FaultRow[];
  readonly groups: readonly GroupRow[];
  /** Consumers that were killed by what they handled. */
  readonly ownDeaths: number;
  /** What is wrong beside the events: statistics that do not add up, a group that did not get to its end. */
  readonly problems: readonly string[];
  /** The shortest history that shows what broke; empty when nothing did. */
  readonly shortestHistory: readonly string[];
}

/** What was done of one kind. */
export interface FaultRow {
  readonly kind: FaultKind;
  readonly injected: number;
  /** Longest time in which a partition handed nothing to a group after it. Undefined: it was not done. */
  readonly longestGapMs: number | undefined;
  /** Why this kind was left out. */
  readonly notOffered: string | undefined;
}

/** What became of the events in one group. */
export interface GroupRow {
  readonly group: string;
  readonly published: number;
  /** Events that were sent again, since nobody knew whether they were stored. */
  readonly unanswered: number;
  readonly handled: number;
  readonly dead: number;
  /** Innocent events that were given up since their consumers were killed too often. */
  readonly unlucky: number;
  readonly duplicated: number;
  readonly recovered: number;
  readonly lost: number;
  readonly unexpected: number;
  readonly reordered: number;
  readonly skipped: number;
  readonly overlapping: number;
  readonly overAttempted: number;
  readonly lettersMissing: number;
  readonly lettersUnexpected: number;
}

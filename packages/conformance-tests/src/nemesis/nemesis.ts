import type { CaseContext } from '../context.js';
import { brokerInfoOf } from '../subject.js';
import { lettersOf } from '../suites/support-dead-letters.js';
import { longestGaps } from './gaps.js';
import { type Harm, harm, type NemesisOptions } from './harm.js';
import { shortestHistory } from './key-history.js';
import { type Offers, offersOf } from './offers.js';
import type { FaultRow, GroupRow, NemesisReport } from './report.js';
import { FAULT_KINDS, type ScheduledFault, scheduleOf } from './schedule.js';
import type { Fate } from './traffic.js';
import { breachesOf, type GroupVerdict, judgeGroup, unbalanced } from './verdict.js';

export type { NemesisOptions } from './harm.js';

/** The schedule that a run on this subject follows. */
export function nemesisSchedule(
  t: Pick<CaseContext, 'subject' | 'budget'>,
  { seed, durationMs }: NemesisOptions,
): readonly ScheduledFault[] {
  return scheduleOf({
    seed,
    durationMs,
    kinds: offersOf(t.subject).offered,
    leaseMs: t.budget.leaseMs,
  });
}

/** Publishes and consumes while the schedule does its harm, heals everything, waits for the end, and judges. */
export async function runNemesis(t: CaseContext, options: NemesisOptions): Promise<NemesisReport> {
  const offers = offersOf(t.subject);
  const schedule = nemesisSchedule(t, options);
  const run = await harm(t, options, offers, schedule);
  const fates = new Map<string, Fate>(run.publishers.flatMap(({ fates: own }) => [...own]));
  const verdicts: GroupVerdict[] = [];
  for (const [group, admin] of run.admins) {
    const letters = await lettersOf(admin);
    const named = letters.map(({ eventId, reason, id }) => ({ eventId: eventId ?? id, reason }));
    verdicts.push(judgeGroup(t.history, group, named, fates));
  }
  const problems = [...run.problems, ...unbalanced(run.crew.counted)];
  const breaches = verdicts.flatMap(breachesOf);
  const unanswered = run.publishers.reduce((sum, publisher) => sum + publisher.unanswered, 0);
  return {
    bus: t.subject.name,
    broker: await brokerOf(t),
    seed: options.seed,
    durationMs: options.durationMs,
    clean: breaches.length === 0 && problems.length === 0,
    schedule,
    faults: faultRows(t, offers, run),
    groups: verdicts.map((verdict) => groupRow(verdict, unanswered)),
    ownDeaths: run.crew.ownDeaths,
    problems,
    shortestHistory: shortestHistory(t.history, run.faults, breaches),
  };
}

async function brokerOf({ subject }: CaseContext): Promise<string> {
  const info = await brokerInfoOf(subject);
  return info ? `${info.name} ${info.version}` : 'unknown';
}

function faultRows(t: CaseContext, { notOffered }: Offers, { faults, endMs }: Harm): readonly FaultRow[] {
  const gaps = longestGaps(t.history, faults, endMs);
  return FAULT_KINDS.map((kind) => ({
    kind,
    injected: faults.filter((fault) => fault.kind === kind).length,
    longestGapMs: gaps[kind],
    notOffered: notOffered[kind],
  }));
}

function groupRow({ group, check, letters }: GroupVerdict, unanswered: number): GroupRow {
  return {
    group,
    published: check.published,
    unanswered,
    handled: check.handled,
    dead: letters.events,
    unlucky: letters.unlucky.length,
    duplicated: check.duplicated.length,
    recovered: check.recovered.length,
    lost: check.lost.length,
    unexpected: check.unexpected.length,
    reordered: check.reordered.length,
    skipped: check.skipped.length,
    overlapping: check.overlapping.length,
    overAttempted: check.overAttempted.length,
    lettersMissing: letters.missing.length,
    lettersUnexpected: letters.unexpected.length,
  };
}

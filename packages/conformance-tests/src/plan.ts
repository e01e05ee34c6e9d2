import { CATALOGUE } from './catalogue.js';
import { type ConformanceCase, lackInWords, lackOf, type Suite } from './registry.js';
import type { ConformanceSubject } from './subject.js';

/** What is to be done about one case on one subject. */
export type PlannedCase =
  | { readonly kind: 'run'; readonly of: ConformanceCase }
  /** A capability is missing, and the bus must say so. */
  | { readonly kind: 'inverted'; readonly of: ConformanceCase; readonly reason: string }
  | { readonly kind: 'n/a'; readonly of: ConformanceCase; readonly reason: string }
  | { readonly kind: 'not-run'; readonly of: ConformanceCase; readonly reason: string };

/** Which ids: `L2` (a level), `OR` (an area) or `OR05`. */
export type Selector = string;

/** What is planned for each suite, in order. */
export interface Plan {
  readonly areas: readonly { readonly area: string; readonly cases: readonly PlannedCase[] }[];
  /** Cases that judge the whole run. */
  readonly last: readonly PlannedCase[];
}

/** The ids that selectors name. Throws for a selector that names none. */
export function selectIds(selectors: readonly Selector[]): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const selector of selectors) {
    const wanted = selector.trim().toUpperCase();
    const found = CATALOGUE.filter((e) => e.id === wanted || e.area === wanted || `L${e.level}` === wanted);
    if (found.length === 0) {
      throw new Error(`${selector} names no id: use a level (L1 to L4), an area (CT, OR, …) or an id (CT01)`);
    }
    for (const entry of found) ids.add(entry.id);
  }
  return ids;
}

/** Decides about every case of the suites that is selected. */
export function makePlan(
  subject: ConformanceSubject,
  suites: readonly Suite[],
  selected: ReadonlySet<string>,
): Plan {
  const last: PlannedCase[] = [];
  const areas = suites.map(({ area, cases }) => {
    const planned = cases.filter((one) => selected.has(one.id)).map((one) => decide(subject, one));
    last.push(...planned.filter((one) => one.of.last));
    return { area, cases: planned.filter((one) => !one.of.last) };
  });
  return { areas: areas.filter(({ cases }) => cases.length > 0), last };
}

function decide(subject: ConformanceSubject, one: ConformanceCase): PlannedCase {
  const lack = lackOf(subject, one);
  if (!lack) return { kind: 'run', of: one };
  const reason = lackInWords(lack);
  if (lack.kind === 'tool') return { kind: 'not-run', of: one, reason };
  return one.otherwise ? { kind: 'inverted', of: one, reason } : { kind: 'n/a', of: one, reason };
}

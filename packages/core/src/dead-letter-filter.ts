import { ConfigurationError, type ConfigurationProblem } from './errors.js';
import type { DeadLetter, DeadLetterFilter } from './event-bus.js';
import { nearest } from './nearest-name.js';

/** What `list` takes. */
export type DeadLetterListing = DeadLetterFilter & { readonly after?: string; readonly limit?: number };

/** A filter that was checked, for the group of a bus. */
export interface DeadLetterSelection {
  /** Undefined for all groups. */
  readonly group: string | undefined;
  /** No more than so many can match. */
  readonly atMost: number;
  matches(letter: DeadLetter): boolean;
}

const ALL_GROUPS = '*';

/** What is wrong with a value, if anything. */
type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? undefined
    : 'must be an array of strings';
const instant: Check = (value) =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? undefined : 'must be a valid Date';
const quantity: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'must be an integer of 1 or more';

const FILTER: Readonly<Record<keyof DeadLetterFilter, Check>> = {
  group: text,
  ids: texts,
  eventType: text,
  aggregateId: text,
  reason: text,
  before: instant,
  since: instant,
};

/** Checks what `list` was given, like `selectDeadLetters`. */
export function checkListing(listing: DeadLetterListing): void {
  check(listing, { ...FILTER, after: text, limit: quantity });
}

/**
 * Checks a filter before anything is done with it. A field that is unknown or undefined is an error (`CONFIGURATION`)
 * and never "no condition": a misspelt one would purge everything.
 */
export function selectDeadLetters(filter: DeadLetterFilter, ownGroup: string): DeadLetterSelection {
  check(filter, FILTER);
  const { eventType, aggregateId, reason, before, since } = filter;
  const wanted = filter.group ?? ownGroup;
  const group = wanted === ALL_GROUPS ? undefined : wanted;
  const ids = filter.ids && new Set(filter.ids);
  return {
    group,
    atMost: ids?.size ?? Number.POSITIVE_INFINITY,
    matches: (letter) =>
      (group === undefined || letter.group === group) &&
      (ids === undefined || ids.has(letter.id)) &&
      (eventType === undefined || letter.eventType === eventType) &&
      (aggregateId === undefined || letter.event?.aggregateId === aggregateId) &&
      (reason === undefined || letter.reason === reason) &&
      (before === undefined || letter.deadLetteredAt < before) &&
      (since === undefined || letter.deadLetteredAt >= since),
  };
}

function check(given: object, fields: Readonly<Record<string, Check>>): void {
  const problems = Object.entries(given).flatMap(([name, value]): ConfigurationProblem[] => {
    const message = Object.hasOwn(fields, name)
      ? fields[name]?.(value)
      : unknownField(name, Object.keys(fields));
    return message === undefined ? [] : [{ path: `filter.${name}`, message }];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function unknownField(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? `unknown; there are ${known.join(', ')}` : `unknown; did you mean ${meant}?`;
}

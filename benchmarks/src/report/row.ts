import type { Effort, Rounds, Side } from '../measure.js';
import { pairwise, type Spread, spreadOf } from '../statistics.js';

/** What a row is measured in. */
export type Unit = 'events/s' | 'ms' | 'µs/event' | 'MiB' | 'times';

/** A bound that the median of the comparison is to keep. */
export interface Target {
  readonly kind: 'at least' | 'at most';
  readonly bound: number;
}

/** How the two sides are compared, or what is asked of the bus alone. */
export interface Comparison {
  readonly kind: 'bus / raw' | 'bus − raw' | 'bus alone';
  readonly value: Spread;
  /** Undefined: for information. */
  readonly target: Target | undefined;
}

/** One line of the result. */
export interface Row {
  readonly cell: string;
  readonly what: string;
  readonly unit: Unit;
  readonly bus: Spread;
  readonly raw: Spread | undefined;
  readonly comparison: Comparison;
  /** What every round gave. */
  readonly rounds: { readonly bus: readonly number[]; readonly raw?: readonly number[] };
}

/** What a row is about. */
export interface RowHead {
  readonly cell: string;
  readonly what: string;
  readonly unit: Unit;
  readonly target?: Target;
}

/** The bus as a multiple of the raw client. */
export function ratioRow(head: RowHead, rounds: Rounds<Side, number>): Row {
  return pairedRow(head, rounds, 'bus / raw', (bus, raw) => bus / raw);
}

/** Two rows of what the sides took: events a second, which the target is about, and processor time for information. */
export function effortRows(head: Omit<RowHead, 'unit'>, { bus, raw }: Rounds<Side, Effort>): readonly Row[] {
  const { cell, what } = head;
  return [
    ratioRow({ ...head, unit: 'events/s' }, { bus: bus.map(rateOf), raw: raw.map(rateOf) }),
    ratioRow(
      { cell, what: `${what}: processor`, unit: 'µs/event' },
      { bus: bus.map(processorOf), raw: raw.map(processorOf) },
    ),
  ];
}

const rateOf = ({ eventsPerSecond }: Effort): number => eventsPerSecond;
const processorOf = ({ processorUs }: Effort): number => processorUs;

/** What the bus takes more than the raw client. */
export function differenceRow(head: RowHead, rounds: Rounds<Side, number>): Row {
  return pairedRow(head, rounds, 'bus − raw', (bus, raw) => bus - raw);
}

/** The bus, held against nothing but its target. The raw values are for information. */
export function absoluteRow(head: RowHead, bus: readonly number[], raw?: readonly number[]): Row {
  const { target, ...rest } = head;
  const spread = spreadOf(bus);
  return {
    ...rest,
    bus: spread,
    raw: raw && spreadOf(raw),
    comparison: { kind: 'bus alone', value: spread, target },
    rounds: { bus, ...(raw && { raw }) },
  };
}

/** Whether the target is reached; undefined when there is none. */
export function isReached({ value, target }: Comparison): boolean | undefined {
  if (target === undefined) return undefined;
  return target.kind === 'at least' ? value.median >= target.bound : value.median <= target.bound;
}

function pairedRow(
  { target, ...rest }: RowHead,
  rounds: Rounds<Side, number>,
  kind: Comparison['kind'],
  compare: (bus: number, raw: number) => number,
): Row {
  const { bus, raw } = rounds;
  const value = pairwise(bus, raw, compare);
  return { ...rest, bus: spreadOf(bus), raw: spreadOf(raw), comparison: { kind, value, target }, rounds };
}

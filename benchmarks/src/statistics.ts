/** What several rounds gave. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median and extremes. Throws when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('There is no value to take the median of');
  const sorted = [...values].sort(ascending);
  return { median: percentile(sorted, 50), min: sorted[0] as number, max: sorted.at(-1) as number };
}

/** The value that `percent` of the values do not exceed, between two of them by their distance. Throws when there is none. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) throw new RangeError('There is no value to take a percentile of');
  const sorted = [...values].sort(ascending);
  const at = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/**
 * How one series stands to another, round by round: the two values of a round were measured one right after the other, so
 * that what the machine did meanwhile weighs less than in a quotient of medians.
 */
export function pairwise(
  one: readonly number[],
  other: readonly number[],
  compare: (a: number, b: number) => number,
): Spread {
  if (one.length !== other.length)
    throw new RangeError(`${one.length} values cannot be paired with ${other.length}`);
  return spreadOf(one.map((value, round) => compare(value, other[round] as number)));
}

function ascending(a: number, b: number): number {
  return a - b;
}

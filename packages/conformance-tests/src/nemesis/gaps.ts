import type { HistorySnapshot } from '../history.js';
import type { FaultKind } from './schedule.js';

/** A fault as it was done. Times are `monotonicMs`. */
export interface InjectedFault {
  readonly kind: FaultKind;
  readonly words: string;
  readonly fromMs: number;
  /** When it was over: what it broke was whole again. */
  readonly untilMs: number;
}

/**
 * For each kind of fault the longest time in which a partition handed nothing to a group, from the fault until the next
 * one or `endMs`. Publishers are at work all the time, so that there is always something to hand out.
 */
export function longestGaps(
  { deliveries }: HistorySnapshot,
  faults: readonly InjectedFault[],
  endMs: number,
): Readonly<Partial<Record<FaultKind, number>>> {
  const lanes = new Map<string, number[]>();
  for (const { group, partition, startedAtMs } of deliveries) {
    const name = `${group} ${partition}`;
    const starts = lanes.get(name);
    if (starts) starts.push(startedAtMs);
    else lanes.set(name, [startedAtMs]);
  }
  const longest: Partial<Record<FaultKind, number>> = {};
  faults.forEach(({ kind, fromMs }, n) => {
    const untilMs = faults[n + 1]?.fromMs ?? endMs;
    for (const starts of lanes.values()) {
      const gap = Math.round(longestGap(starts, fromMs, untilMs));
      longest[kind] = Math.max(longest[kind] ?? 0, gap);
    }
  });
  return longest;
}

function longestGap(starts: readonly number[], fromMs: number, untilMs: number): number {
  let longest = 0;
  let last = fromMs;
  for (const start of starts) {
    if (start <= fromMs) continue;
    if (start >= untilMs) break;
    longest = Math.max(longest, start - last);
    last = start;
  }
  return Math.max(longest, untilMs - last);
}

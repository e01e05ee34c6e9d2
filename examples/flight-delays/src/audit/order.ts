import type { HandlerRun } from '../handler-run.js';

/**
 * How many runs of one group were out of order, given all its runs of a stretch of the demo.
 *
 * Per airport the runs are taken in the order in which they started. A run is out of order when
 * - a run of a later version of the airport started before it, or
 * - the run before it had not ended yet.
 *
 * A retry has its own version again and is in order as long as no later one has started. One thing is no fault: when
 * the consumer that ran the airport has died, the one that takes over may begin at an earlier version, because what
 * the dead one had not acknowledged is delivered again. From there on the rule holds again.
 */
export function countReordered(runs: readonly HandlerRun[], died: ReadonlySet<string>): number {
  const latest = new Map<string, HandlerRun>();
  let reordered = 0;
  for (const run of [...runs].sort((one, other) => one.startedAtUs - other.startedAtUs)) {
    const before = latest.get(run.airport);
    if (before === undefined || takesOver(run, before, died)) {
      latest.set(run.airport, run);
      continue;
    }
    if (run.version < before.version || run.startedAtUs < before.endedAtUs) reordered += 1;
    if (run.version >= before.version) latest.set(run.airport, run);
  }
  return reordered;
}

function takesOver(run: HandlerRun, before: HandlerRun, died: ReadonlySet<string>): boolean {
  return run.consumer !== before.consumer && died.has(before.consumer);
}

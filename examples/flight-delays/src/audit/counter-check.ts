import type { BusCounters } from '../consumers/counters.js';
import type { GroupName } from '../groups.js';
import type { HandlerRun } from '../handler-run.js';

/** A counter of the bus, and what the handlers' own records say. */
export interface CounterCheck {
  readonly counter: string;
  readonly bus: number;
  readonly recorded: number;
}

/** Compares what the buses of a group counted with what its handlers recorded. Exact when no consumer died. */
export function checkCounters(
  group: GroupName,
  counters: readonly BusCounters[],
  runs: readonly HandlerRun[],
  deadLetters: number,
): readonly CounterCheck[] {
  const sum = (name: Exclude<keyof BusCounters, 'group'>): number =>
    counters.filter((entry) => entry.group === group).reduce((total, entry) => total + entry[name], 0);
  const count = (condition: (run: HandlerRun) => boolean): number => runs.filter(condition).length;
  return [
    {
      counter: 'eventsProcessedSuccess',
      bus: sum('eventsProcessedSuccess'),
      recorded: count(({ outcome }) => outcome === 'handled'),
    },
    {
      counter: 'eventsProcessedFailed',
      bus: sum('eventsProcessedFailed'),
      recorded: count(({ outcome }) => outcome === 'failed'),
    },
    { counter: 'retries', bus: sum('retries'), recorded: count(({ attempt }) => attempt > 1) },
    { counter: 'messagesSentToDlq', bus: sum('messagesSentToDlq'), recorded: deadLetters },
  ];
}

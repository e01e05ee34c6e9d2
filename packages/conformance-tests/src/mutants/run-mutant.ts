import { ConformanceRun } from '../run.js';
import { type MemoryMutation, memorySubject } from '../shipped/memory.js';
import { SUITES } from '../suites/index.js';
import type { Mutant } from './mutant.js';

/** A defect shows itself by what does not come: the less time it is given, the sooner that is seen. */
const BUDGET = { deliverMs: 1_500, takeoverMs: 1_500, recoverMs: 1_500 };

/** What became of a mutant. */
export interface MutantResult {
  /** The first id that found it; undefined: it survived. */
  readonly caughtBy: string | undefined;
  /** What that id saw. */
  readonly reason: string | undefined;
  readonly ms: number;
}

/** One id that failed. */
export interface Failure {
  readonly id: string;
  readonly reason: string;
}

/** Runs the ids that are to find a mutant, until one does. */
export async function runMutant(mutant: Mutant): Promise<MutantResult> {
  const startedAtMs = performance.now();
  try {
    const [first] = await failuresOf(mutant.caughtBy, mutant.mutate(), { stopAtFirst: true });
    return { caughtBy: first?.id, reason: first?.reason, ms: Math.round(performance.now() - startedAtMs) };
  } finally {
    mutant.dispose?.();
  }
}

/** Those of its ids that find a mutant. */
export async function catchersOf(mutant: Mutant): Promise<readonly string[]> {
  try {
    const found: string[] = [];
    for (const id of mutant.caughtBy)
      if ((await failuresOf([id], mutant.mutate(), { stopAtFirst: true })).length > 0) found.push(id);
    return found;
  } finally {
    mutant.dispose?.();
  }
}

/** What fails on the healthy bus: nothing, or the ids say nothing about mutants either. */
export function healthyFailures(ids: readonly string[]): Promise<readonly Failure[]> {
  // An empty mutation takes the same way as the mutants do.
  return failuresOf(ids, {}, { stopAtFirst: false });
}

async function failuresOf(
  ids: readonly string[],
  mutation: MemoryMutation,
  { stopAtFirst }: { readonly stopAtFirst: boolean },
): Promise<readonly Failure[]> {
  const healthy = memorySubject(mutation);
  const subject = {
    ...healthy,
    budget: stopAtFirst ? { ...healthy.budget, ...BUDGET } : (healthy.budget ?? {}),
  };
  const failures: Failure[] = [];
  for (const id of ids) {
    const run = new ConformanceRun(subject, SUITES, { only: [id] });
    await run.start();
    for (const planned of run.plan.areas.flatMap(({ cases }) => cases)) {
      if (planned.kind !== 'run' || (stopAtFirst && failures.length > 0)) continue;
      await run.runCase(planned).catch((error: unknown) => failures.push({ id, reason: String(error) }));
    }
    await run.finish();
    if (stopAtFirst && failures.length > 0) break;
  }
  return failures;
}

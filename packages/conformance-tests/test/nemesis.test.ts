import { CaseContext } from '../src/context.js';
import { MUTANTS } from '../src/mutants/index.js';
import { createNamespaces } from '../src/namespace.js';
import { nemesisSchedule, runNemesis } from '../src/nemesis/nemesis.js';
import type { NemesisReport } from '../src/nemesis/report.js';
import type { FaultKind } from '../src/nemesis/schedule.js';
import { type MemoryMutation, memorySubject } from '../src/shipped/memory.js';
import { type ConformanceSubject, DEFAULT_BUDGET } from '../src/subject.js';

const TIMEOUT_MS = 115_000;
/** A fault and an event that kills: enough for what these buses do wrong. */
const DURATION_MS = 15_000;
const SEED = 2;

async function nemesisOf(subject: ConformanceSubject, seed: number = SEED): Promise<NemesisReport> {
  const t = new CaseContext('FA11', subject, createNamespaces(), {
    unhandledRejections: [],
    executed: new Set(),
    complete: false,
  });
  try {
    return await runNemesis(t, { seed, durationMs: DURATION_MS });
  } finally {
    t.statuses.end();
    await t.cleanUp();
  }
}

function mutationOf(name: string): MemoryMutation {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (!mutant) throw new Error(`there is no mutant ${name}`);
  return mutant.mutate();
}

function seedWithFirst(kind: FaultKind, subject: ConformanceSubject): number {
  const t = { subject, budget: DEFAULT_BUDGET };
  for (let seed = 0; ; seed += 1) {
    if (nemesisSchedule(t, { seed, durationMs: DURATION_MS })[0]?.fault.kind === kind) return seed;
  }
}

describe('the nemesis', () => {
  it.each([
    ['acks-before-the-handler', 'lost'],
    ['forgets-the-key', 'reordered'],
    ['retries-once-too-often', 'overAttempted'],
  ] as const)(
    'finds a bus that %s',
    async (name, column) => {
      const report = await nemesisOf(memorySubject(mutationOf(name)));
      expect(report.clean).toBe(false);
      const found = report.groups.reduce((sum, group) => sum + group[column], 0);
      expect(found).toBeGreaterThan(0);
      expect(report.shortestHistory.length).toBeGreaterThan(2);
    },
    TIMEOUT_MS,
  );

  it(
    'judges what happened until a fault could not be done, and says so',
    async () => {
      const healthy = memorySubject();
      const faults = { ...healthy.faults, stop: () => Promise.reject(new Error('it will not stop')) };
      const subject = { ...healthy, faults };
      const report = await nemesisOf(subject, seedWithFirst('broker-restart', subject));
      expect([report.clean, report.problems]).toEqual([false, ['it will not stop']]);
      expect(report.groups.map(({ lost, handled }) => [lost, handled > 0])).toEqual([
        [0, true],
        [0, true],
      ]);
    },
    TIMEOUT_MS,
  );
});

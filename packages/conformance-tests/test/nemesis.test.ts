import { CaseContext } from '../src/context.js';
import { MUTANTS } from '../src/mutants/index.js';
import { createNamespaces } from '../src/namespace.js';
import { runNemesis } from '../src/nemesis/nemesis.js';
import type { NemesisReport } from '../src/nemesis/report.js';
import { type MemoryMutation, memorySubject } from '../src/shipped/memory.js';

const TIMEOUT_MS = 115_000;
/** A fault and an event that kills: enough for what these buses do wrong. */
const DURATION_MS = 15_000;
const SEED = 2;

async function nemesisOf(mutation: MemoryMutation): Promise<NemesisReport> {
  const t = new CaseContext('FA11', memorySubject(mutation), createNamespaces(), {
    unhandledRejections: [],
    executed: new Set(),
    complete: false,
  });
  try {
    return await runNemesis(t, { seed: SEED, durationMs: DURATION_MS });
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

describe('the nemesis', () => {
  it.each([
    ['acks-before-the-handler', 'lost'],
    ['forgets-the-key', 'reordered'],
    ['retries-once-too-often', 'overAttempted'],
  ] as const)(
    'finds a bus that %s',
    async (name, column) => {
      const report = await nemesisOf(mutationOf(name));
      expect(report.clean).toBe(false);
      const found = report.groups.reduce((sum, group) => sum + group[column], 0);
      expect(found).toBeGreaterThan(0);
      expect(report.shortestHistory.length).toBeGreaterThan(2);
    },
    TIMEOUT_MS,
  );
});

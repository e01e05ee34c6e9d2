import { catalogueEntry } from '../src/catalogue.js';
import { healthyFailures, MUTANTS, runMutant } from '../src/mutants/index.js';

const HEALTHY_TIMEOUT_MS = 120_000;

describe('the suite itself', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'finds a bus that %s',
    async (_, mutant) => {
      expect(mutant.caughtBy.map((id) => catalogueEntry(id).id)).toEqual(mutant.caughtBy);
      const { caughtBy } = await runMutant(mutant);
      expect(mutant.caughtBy).toContain(caughtBy);
    },
  );

  it(
    'passes the healthy bus in every id that finds a mutant',
    async () => {
      const ids = [...new Set(MUTANTS.flatMap(({ caughtBy }) => caughtBy))].sort();
      expect(await healthyFailures(ids)).toEqual([]);
    },
    HEALTHY_TIMEOUT_MS,
  );
});

import { MUTANTS } from './mutants/index.js';
import { catchersOf } from './mutants/run-mutant.js';

/** Prints, for every mutant of the in-memory bus, which of its ids find it: a line of JSON each. */
async function main(only: string | undefined): Promise<void> {
  for (const mutant of MUTANTS.filter(({ name }) => only === undefined || name === only)) {
    const { name, defect } = mutant;
    const caughtBy = await catchersOf(mutant);
    process.stdout.write(`${JSON.stringify({ name, defect, expected: mutant.caughtBy, caughtBy })}\n`);
  }
}

await main(process.argv[2]);
// A defect may have left something running.
process.exit();

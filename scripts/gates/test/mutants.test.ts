import { run } from '../src/commands.js';
import { ROOT } from '../src/repository.js';

it('has in docs/mutants.md what the reports give, and for each id a mutant or the reason why not', () => {
  expect(run(process.execPath, ['scripts/mutants.mjs', '--check'], ROOT)).toEqual({ code: 0, output: '' });
});

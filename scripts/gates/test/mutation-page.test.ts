import { run } from '../src/commands.js';
import { ROOT } from '../src/repository.js';

it('has in docs/mutation-of-core.md what the report gives', () => {
  expect(run(process.execPath, ['scripts/mutation-page.mjs', '--check'], ROOT)).toEqual({
    code: 0,
    output: '',
  });
});

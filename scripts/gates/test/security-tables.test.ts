import { run } from '../src/commands.js';
import { ROOT } from '../src/repository.js';

it('has in docs/security.md the tables that the reports give', () => {
  expect(run(process.execPath, ['scripts/test-security.mjs', '--check'], ROOT)).toEqual({
    code: 0,
    output: '',
  });
});

import { join } from 'node:path';
import { run } from '../src/commands.js';
import { ROOT } from '../src/repository.js';

const LIBRARY = join(ROOT, 'scripts/lib/matrix.mjs');

const reports = [
  {
    bus: 'memory',
    ids: { CC01: { status: 'pass', ms: 1 }, CC05: { status: 'n/a', reason: 'no process dies', ms: 0 } },
  },
  {
    bus: 'kafka',
    broker: { name: 'Kafka', version: '4.1.0' },
    ids: { CC01: { status: 'pass', ms: 1 }, CC05: { status: 'fail', reason: 'lost 2', ms: 9 } },
  },
];

it('has in the README the guarantee matrix that the reports give', () => {
  expect(run(process.execPath, ['scripts/guarantee-matrix.mjs', '--check'], ROOT)).toEqual({
    code: 0,
    output: '',
  });
});

it('shows a failed and a not applicable id with its reason', () => {
  const program = `
    import { matrixOf } from ${JSON.stringify(LIBRARY)};
    process.stdout.write(matrixOf(${JSON.stringify(reports)}));`;
  const { output } = run(process.execPath, ['--input-type=module', '--eval', program], ROOT);
  expect(output).toContain('| CC | Competing consumers share the work | ✓ 1 of 1 | ✗ 1 of 2 |');
  expect(output).toContain('- memory, CC05: n/a, no process dies');
  expect(output).toContain('- kafka, CC05: fail, lost 2');
});

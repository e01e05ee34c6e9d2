import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { UsageError } from './cli-options.js';
import { GREEN, hasColours, inColour, RED } from './colours.js';
import { EXIT_FAILED, EXIT_OK, type Interrupts, runProgram } from './command-line.js';
import { loadSubject } from './load-subject.js';
import { type CellResult, runMatrix } from './security/matrix.js';
import { inSingleCase } from './single-case.js';
import { brokerInfoOf } from './subject.js';

const HELP = `security: knocks at every door of a secured broker, with right keys and with wrong ones.

Usage
  npm run test:security
  npm run test:security -- --bus redis

Options
  --module <path>   a module that exports a subject with "secured"
  --report <file>   write what came of it as JSON
  --help            this text

Exit codes
  0 every cell is as it must be   1 one is not   2 the command line is wrong   130 interrupted
`;

interface Options {
  readonly modulePath: string;
  readonly reportPath: string | undefined;
}

function read(args: readonly string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  const options = { module: text, report: text, help: { type: 'boolean', short: 'h' } } as const;
  let values: ReturnType<typeof parseArgs<{ args: string[]; options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return 'help';
  if (values.module === undefined) throw new UsageError('Name a module with --module');
  return { modulePath: values.module, reportPath: values.report };
}

async function run({ modulePath, reportPath }: Options, interrupts: Interrupts): Promise<number> {
  const subject = await loadSubject({ bus: undefined, modulePath, url: undefined });
  const { secured } = subject;
  if (!secured) throw new UsageError(`The subject of ${modulePath} has no "secured"`);
  return inSingleCase(subject, 'SE01', interrupts, async (t) => {
    const broker = await secured.open();
    process.stdout.write(`security of ${subject.name}\n`);
    const cells = await runMatrix(t, broker, { onResult: print });
    if (reportPath !== undefined) {
      const report = { bus: subject.name, broker: await brokerInfoOf(subject), cells };
      writeFileSync(resolve(reportPath), `${JSON.stringify(report, undefined, 2)}\n`);
    }
    const failed = cells.filter(({ passed }) => !passed).length;
    process.stdout.write(`${cells.length - failed} passed, ${failed} failed\n`);
    return failed === 0 ? EXIT_OK : EXIT_FAILED;
  });
}

function print({ protocol, mechanism, condition, passed, seen }: CellResult): void {
  const verdict = passed ? 'pass' : 'FAIL';
  const shown = hasColours() ? inColour(verdict, passed ? GREEN : RED) : verdict;
  process.stdout.write(`  ${shown}  ${protocol}, ${mechanism}: ${condition}: ${seen}\n`);
}

runProgram({ helpCommand: 'npm run test:security -- --help', help: HELP, read, run });

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { UsageError } from './cli-options.js';
import { EXIT_FAILED, EXIT_OK, type Interrupts, runProgram } from './command-line.js';
import { CaseContext } from './context.js';
import { loadSubject } from './load-subject.js';
import { createNamespaces } from './namespace.js';
import { type CellResult, runMatrix } from './security/matrix.js';
import { securityReport } from './security/security-report.js';
import type { ConformanceSubject } from './subject.js';

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

const GREEN = 32;
const RED = 31;

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

async function run({ modulePath, reportPath }: Options, { onInterrupt }: Interrupts): Promise<number> {
  const subject = await loadSubject({ bus: undefined, modulePath, url: undefined });
  if (!subject.secured) throw new UsageError(`The subject of ${modulePath} has no "secured"`);
  const t = newContext(subject);
  const end = async (): Promise<void> => {
    await t.cleanUp();
    await subject.teardown?.();
  };
  onInterrupt(end);
  try {
    await subject.setup?.();
    const broker = await subject.secured.open();
    process.stdout.write(`security of ${subject.name}\n`);
    const results = await runMatrix(t, broker, { onResult: print });
    const info = typeof subject.broker === 'function' ? await subject.broker() : subject.broker;
    if (reportPath !== undefined) {
      const report = securityReport(subject.name, info, results);
      writeFileSync(resolve(reportPath), `${JSON.stringify(report, undefined, 2)}\n`);
    }
    const failed = results.filter(({ passed }) => !passed).length;
    process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
    return failed === 0 ? EXIT_OK : EXIT_FAILED;
  } finally {
    await end();
  }
}

function newContext(subject: ConformanceSubject): CaseContext {
  const findings = { unhandledRejections: [], executed: new Set<never>(), complete: false };
  return new CaseContext('SE01', subject, createNamespaces(), findings, true);
}

function print({ protocol, mechanism, condition, passed, seen }: CellResult): void {
  const verdict = passed ? paint('pass', GREEN) : paint('FAIL', RED);
  process.stdout.write(`  ${verdict}  ${protocol}, ${mechanism}: ${condition}: ${seen}\n`);
}

function paint(text: string, colour: number): string {
  const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return colours ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

runProgram({ helpCommand: 'npm run test:security -- --help', help: HELP, read, run });

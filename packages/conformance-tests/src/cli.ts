#!/usr/bin/env node
import { type CliOptions, HELP, readCliOptions } from './cli-options.js';
import { hasColours } from './colours.js';
import { EXIT_FAILED, EXIT_OK, type Interrupts, runProgram } from './command-line.js';
import { ConsoleRunner } from './console-runner.js';
import { loadSubject } from './load-subject.js';
import { writeReport } from './report.js';
import { ConformanceRun } from './run.js';
import { SUITES } from './suites/index.js';

async function runSuite(options: CliOptions, { onInterrupt }: Interrupts): Promise<number> {
  const { only, claims, reportPath, long } = options;
  const subject = await loadSubject(options);
  const run = new ConformanceRun(subject, SUITES, {
    ...(only ? { only } : {}),
    ...(claims ? { claims } : {}),
    long,
  });
  const console = { write: (text: string) => process.stdout.write(text), colours: hasColours() };
  const runner = new ConsoleRunner(run, console);
  const result = runner.run();
  onInterrupt(() => {
    runner.stop();
    return result;
  });
  const { report, failed, interrupted } = await result;
  // Whoever interrupted waits for this, and ends the process.
  if (interrupted) return new Promise<number>(() => undefined);
  if (reportPath !== undefined) writeReport(reportPath, report);
  return failed > 0 ? EXIT_FAILED : EXIT_OK;
}

runProgram({
  helpCommand: 'omnibus-conformance --help',
  help: HELP,
  read: readCliOptions,
  run: runSuite,
});

#!/usr/bin/env node
import { type CliOptions, HELP, readCliOptions, UsageError } from './cli-options.js';
import { ConsoleRunner } from './console-runner.js';
import { MissingPackageError } from './load-package.js';
import { loadSubject } from './load-subject.js';
import { writeReport } from './report.js';
import { ConformanceRun } from './run.js';
import { SUITES } from './suites/index.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function runSuite(options: CliOptions): Promise<number> {
  const { only, claims, reportPath, long } = options;
  const subject = await loadSubject(options);
  const run = new ConformanceRun(subject, SUITES, {
    ...(only ? { only } : {}),
    ...(claims ? { claims } : {}),
    long,
  });
  const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  const runner = new ConsoleRunner(run, { write: (text) => process.stdout.write(text), colours });
  const onInterrupt = (): void => {
    // Whoever asks twice does not want to wait for the clean-up.
    process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED));
    runner.stop();
  };
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  const { report, failed, interrupted } = await runner.run();
  if (interrupted) return EXIT_INTERRUPTED;
  if (reportPath !== undefined) writeReport(reportPath, report);
  return failed > 0 ? EXIT_FAILED : 0;
}

async function main(): Promise<number> {
  try {
    const options = readCliOptions(process.argv.slice(2));
    if (options !== 'help') return await runSuite(options);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof MissingPackageError) {
      process.stderr.write(`${error.message}\n\nomnibus-conformance --help tells more.\n`);
      return EXIT_USAGE;
    }
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT_FAILED;
  }
}

// A case that was abandoned may keep the event loop busy: the answer is known, so the process ends.
void main().then((code) => process.exit(code));

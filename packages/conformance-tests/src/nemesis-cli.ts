import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { UsageError } from './cli-options.js';
import { CaseContext } from './context.js';
import { MissingPackageError } from './load-package.js';
import { loadSubject } from './load-subject.js';
import { createNamespaces } from './namespace.js';
import { nemesisSchedule, runNemesis } from './nemesis/nemesis.js';
import { reportInWords, scheduleInWords } from './nemesis/table.js';
import { NEMESIS_HELP, type NemesisCliOptions, readNemesisOptions } from './nemesis-options.js';
import type { ConformanceSubject } from './subject.js';

const EXIT_DIRTY = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const GREEN = 32;
const RED = 31;

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function newContext(subject: ConformanceSubject): CaseContext {
  return new CaseContext('FA11', subject, createNamespaces(), {
    unhandledRejections: [],
    executed: new Set(),
    complete: false,
  });
}

async function run(options: NemesisCliOptions): Promise<number> {
  const { bus, modulePath, seed, durationMs, duration, reportPath } = options;
  const subject = await loadSubject({
    bus: modulePath === undefined ? bus : undefined,
    modulePath,
    url: undefined,
  });
  let t: CaseContext | undefined;
  const end = async (): Promise<void> => {
    await t?.cleanUp();
    await subject.teardown?.();
  };
  endWhenInterrupted(end);
  try {
    await subject.setup?.();
    t = newContext(subject);
    tell(`seed ${seed}; the schedule:`);
    for (const line of scheduleInWords(nemesisSchedule(t, options))) tell(line);
    const report = await runNemesis(t, { seed, durationMs, onProgress: tell });
    const name = bus === undefined ? `--module ${modulePath}` : `--bus ${bus}`;
    const words = reportInWords(report, `npm run nemesis -- ${name} ${duration} --seed ${seed}`);
    process.stdout.write(
      process.stdout.isTTY && process.env.NO_COLOR === undefined ? coloured(words) : words,
    );
    // npm changes into the package's folder: paths are meant from where the user stands.
    if (reportPath !== undefined)
      writeFileSync(
        resolve(process.env.INIT_CWD ?? '.', reportPath),
        `${JSON.stringify(report, undefined, 2)}\n`,
      );
    return report.clean ? 0 : EXIT_DIRTY;
  } finally {
    await end();
  }
}

/** The last line is the verdict. */
function coloured(words: string): string {
  return words.replace(
    /(clean|NOT CLEAN.*)\n$/,
    (verdict) => `\u001b[${verdict.startsWith('clean') ? GREEN : RED}m${verdict.trimEnd()}\u001b[0m\n`,
  );
}

function endWhenInterrupted(end: () => Promise<void>): void {
  const interrupted = (): void => {
    // Whoever asks twice does not want to wait for the clean-up.
    process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED));
    tell('interrupted: cleaning up');
    void end().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
}

async function main(): Promise<number> {
  try {
    const options = readNemesisOptions(process.argv.slice(2));
    if (options !== 'help') return await run(options);
    process.stdout.write(NEMESIS_HELP);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof MissingPackageError) {
      tell(`${error.message}\n\nnpm run nemesis -- --help tells more.`);
      return EXIT_USAGE;
    }
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT_DIRTY;
  }
}

// What a fault left behind may keep the event loop busy: the answer is known, so the process ends.
void main().then((code) => process.exit(code));

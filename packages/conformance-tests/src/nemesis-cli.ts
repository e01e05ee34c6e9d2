import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { EXIT_FAILED, EXIT_OK, type Interrupts, runProgram, tell } from './command-line.js';
import { CaseContext } from './context.js';
import { loadSubject } from './load-subject.js';
import { createNamespaces } from './namespace.js';
import { nemesisSchedule, runNemesis } from './nemesis/nemesis.js';
import { reportInWords, scheduleInWords } from './nemesis/table.js';
import { NEMESIS_HELP, type NemesisCliOptions, readNemesisOptions } from './nemesis-options.js';
import type { ConformanceSubject } from './subject.js';

const GREEN = 32;
const RED = 31;

function newContext(subject: ConformanceSubject): CaseContext {
  return new CaseContext('FA11', subject, createNamespaces(), {
    unhandledRejections: [],
    executed: new Set(),
    complete: false,
  });
}

async function run(options: NemesisCliOptions, { onInterrupt }: Interrupts): Promise<number> {
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
  onInterrupt(end);
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
    return report.clean ? EXIT_OK : EXIT_FAILED;
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

runProgram({
  helpCommand: 'npm run nemesis -- --help',
  help: NEMESIS_HELP,
  read: readNemesisOptions,
  run,
});

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { GREEN, hasColours, inColour, RED } from './colours.js';
import { EXIT_FAILED, EXIT_OK, type Interrupts, runProgram, tell } from './command-line.js';
import type { CaseContext } from './context.js';
import { loadSubject } from './load-subject.js';
import { nemesisSchedule, runNemesis } from './nemesis/nemesis.js';
import { reportInWords, scheduleInWords } from './nemesis/table.js';
import { NEMESIS_HELP, type NemesisCliOptions, readNemesisOptions } from './nemesis-options.js';
import { inSingleCase } from './single-case.js';

async function run(options: NemesisCliOptions, interrupts: Interrupts): Promise<number> {
  const { bus, modulePath } = options;
  const subject = await loadSubject({
    bus: modulePath === undefined ? bus : undefined,
    modulePath,
    url: undefined,
  });
  return inSingleCase(subject, 'FA11', interrupts, (t) => harm(t, options));
}

async function harm(t: CaseContext, options: NemesisCliOptions): Promise<number> {
  const { bus, cluster, modulePath, seed, durationMs, duration, reportPath } = options;
  tell(`seed ${seed}; the schedule:`);
  for (const line of scheduleInWords(nemesisSchedule(t, options))) tell(line);
  const report = await runNemesis(t, { seed, durationMs, onProgress: tell });
  const name = bus === undefined ? `--module ${modulePath}` : `--bus ${bus}${cluster ? ' --cluster' : ''}`;
  const words = reportInWords(report, `npm run nemesis -- ${name} ${duration} --seed ${seed}`);
  process.stdout.write(hasColours() ? coloured(words) : words);
  // npm changes into the package's folder: paths are meant from where the user stands.
  if (reportPath !== undefined)
    writeFileSync(
      resolve(process.env.INIT_CWD ?? '.', reportPath),
      `${JSON.stringify(report, undefined, 2)}\n`,
    );
  return report.clean ? EXIT_OK : EXIT_FAILED;
}

/** The last line is the verdict. */
function coloured(words: string): string {
  return words.replace(
    /(clean|NOT CLEAN.*)\n$/,
    (verdict) => `${inColour(verdict.trimEnd(), verdict.startsWith('clean') ? GREEN : RED)}\n`,
  );
}

runProgram({
  helpCommand: 'npm run nemesis -- --help',
  help: NEMESIS_HELP,
  read: readNemesisOptions,
  run,
});

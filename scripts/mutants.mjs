import { parseArgs } from 'node:util';
import { ensureInstalled } from './lib/install.mjs';
import { runMutants, SOURCES } from './lib/mutant-runs.mjs';
import { checkMutantsPage, storeMutants, writeMutantsPage } from './lib/mutants-page.mjs';
import { say, turbo } from './lib/processes.mjs';

const HELP = `npm run mutants: buses with one deliberate defect each, and which ids of the conformance kit find them.

Usage
  npm run mutants                     all of them
  npm run mutants -- --bus redis      those of one bus: memory, kafka, redis or rabbitmq; or core: those of what all
                                      buses are made of, run in memory
  npm run mutants -- --only <name>    one of them; nothing is written
  npm run mutants -- --check          runs none: is docs/mutants.md what the reports give, and has every id a mutant,
                                      or a reason in scripts/lib/mutant-reasons.mjs?

Writes reports/mutants-<bus>.json for each bus that ran, and docs/mutants.md from all of these.

Exit codes
  0 every mutant was found, and no healthy bus failed   1 one survived, or a healthy bus failed   2 wrong command line
`;

async function main() {
  const { bus, only, check, help } = readArguments();
  if (help) return say(HELP);
  if (check) return checkMutantsPage();
  await ensureInstalled();
  if ((await turbo(['build', '--filter=./packages/*', '--output-logs=errors-only'])) !== 0) return fail();
  const results = [];
  for (const source of bus === undefined ? SOURCES : [bus]) {
    const own = [];
    for await (const result of runMutants(source, only)) own.push(told(source, result));
    if (only === undefined) storeMutants(source, own);
    results.push(...own);
  }
  if (results.length === 0) throw new UsageError(`No mutant is named ${only}`);
  if (only === undefined) await writeMutantsPage();
  const bad = results.filter((result) => !isAsItShould(result));
  say(`${results.length - bad.length} as they should be, ${bad.length} not`);
  if (bad.length > 0) fail();
}

class UsageError extends Error {}

function readArguments() {
  const options = {
    bus: { type: 'string' },
    only: { type: 'string' },
    check: { type: 'boolean' },
    help: { type: 'boolean' },
  };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.bus !== undefined && !SOURCES.includes(values.bus))
    throw new UsageError(`--bus must be one of ${SOURCES.join(', ')}`);
  return values;
}

/** A healthy bus is found by none of the ids, a mutant by one at least. */
function isAsItShould({ expected, caughtBy }) {
  return expected.length === 0 ? caughtBy.length === 0 : caughtBy.length > 0;
}

function told(source, result) {
  const { name, expected, caughtBy } = result;
  const found = caughtBy.length === 0 ? 'found by none' : `found by ${caughtBy.join(', ')}`;
  const missed = expected.filter((id) => !caughtBy.includes(id));
  const rest = caughtBy.length > 0 && missed.length > 0 ? ` (not by ${missed.join(', ')})` : '';
  say(`${isAsItShould(result) ? 'ok  ' : 'BAD '} ${source.padEnd(8)} ${name}: ${found}${rest}`);
  return result;
}

function fail() {
  process.exitCode = 1;
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

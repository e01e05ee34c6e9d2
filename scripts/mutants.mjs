import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { brokenCopy } from './lib/broken-copy.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { mutantsPage } from './lib/mutants-page.mjs';
import { say, turbo } from './lib/processes.mjs';
import { ROOT } from './lib/workspace.mjs';

const HELP = `npm run mutants: buses with one deliberate defect each, and which ids of the conformance kit find them.

Usage
  npm run mutants                     all of them; writes docs/mutants.md
  npm run mutants -- --bus redis      those of one bus: memory, kafka, redis or rabbitmq
  npm run mutants -- --only <name>    one of them

Exit codes
  0 every mutant was found, and no healthy bus failed   1 one survived, or a healthy bus failed   2 wrong command line
`;
const BUSES = ['memory', 'kafka', 'redis', 'rabbitmq'];
const KIT = join(ROOT, 'packages/conformance-tests');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const execute = promisify(execFile);

async function main() {
  const { bus, only, help } = readArguments();
  if (help) return say(HELP);
  await ensureInstalled();
  if ((await turbo(['build', '--filter=./packages/*', '--output-logs=errors-only'])) !== 0) return fail();
  const results = [];
  for (const each of bus === undefined ? BUSES : [bus]) results.push(...(await mutantsOf(each, only)));
  if (results.length === 0) throw new UsageError(`No mutant is named ${only}`);
  if (bus === undefined && only === undefined)
    writeFileSync(join(ROOT, 'docs/mutants.md'), mutantsPage(results, catalogue()));
  const bad = results.filter(({ ok }) => !ok);
  say(`${results.length - bad.length} as they should be, ${bad.length} not`);
  if (bad.length > 0) fail();
}

class UsageError extends Error {}

function readArguments() {
  const options = { bus: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean' } };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  if (values.bus !== undefined && !BUSES.includes(values.bus))
    throw new UsageError(`--bus must be one of ${BUSES.join(', ')}`);
  return values;
}

async function mutantsOf(bus, only) {
  return bus === 'memory' ? memoryMutants(only) : adapterMutants(bus, only);
}

/** Those of the in-memory bus are made by the kit itself, in one process. */
async function memoryMutants(only) {
  const { stdout } = await execute(
    process.execPath,
    [join(KIT, 'dist/mutants.js'), ...(only === undefined ? [] : [only])],
    { maxBuffer: MAX_OUTPUT_BYTES },
  );
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => told({ bus: 'memory', ...JSON.parse(line) }));
}

/** Those of an adapter are copies of it with a line of its source replaced, on a real broker. */
async function adapterMutants(bus, only) {
  const folder = join(ROOT, 'packages', `bus-${bus}`);
  const { mutants } = await import(join(folder, 'test/mutants.mjs'));
  const chosen = mutants.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) return [];
  const results = [];
  for (const { name, defect, caughtBy: expected, changes } of chosen) {
    const copy = await brokenCopy(folder, changes);
    try {
      results.push(
        told({ bus, name, defect, expected, caughtBy: await failing(bus, copy.folder, expected) }),
      );
    } finally {
      copy.remove();
    }
  }
  const ids = [...new Set(chosen.flatMap(({ caughtBy }) => caughtBy))].sort();
  const healthy = { bus, name: `${bus} (healthy)`, defect: 'no defect', expected: [] };
  results.push(told({ ...healthy, caughtBy: await failing(bus, folder, ids) }));
  return results;
}

/** The ids that fail in this folder's build of the bus. */
async function failing(bus, folder, ids) {
  const subject = join(ROOT, 'packages', `bus-${bus}`, 'test', `${bus}-bus-under-test.mjs`);
  const report = join(folder, 'test-results', 'mutant.json');
  const args = [join(KIT, 'dist/cli.js'), '--module', subject, '--ids', ids.join(','), '--report', report];
  // A failing id makes it end with 1: the report tells which.
  await execute(process.execPath, args, { cwd: folder, maxBuffer: MAX_OUTPUT_BYTES }).catch(() => {});
  if (!existsSync(report)) throw new Error(`The kit wrote no report for ${folder}`);
  const { ids: statuses } = JSON.parse(readFileSync(report, 'utf8'));
  return ids.filter((id) => statuses[id].status === 'fail');
}

function told(result) {
  const isHealthy = result.expected.length === 0;
  const ok = isHealthy ? result.caughtBy.length === 0 : result.caughtBy.length > 0;
  const found = result.caughtBy.length === 0 ? 'found by none' : `found by ${result.caughtBy.join(', ')}`;
  say(`${ok ? 'ok  ' : 'BAD '} ${result.bus.padEnd(8)} ${result.name}: ${found}`);
  return { ...result, ok };
}

/** Ids and titles, in the order of the suite. */
function catalogue() {
  const { ids } = JSON.parse(readFileSync(join(ROOT, 'reports/conformance-memory.json'), 'utf8'));
  return Object.keys(ids);
}

function fail() {
  process.exitCode = 1;
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

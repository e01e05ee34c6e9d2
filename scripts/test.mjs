import { existsSync, readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled } from './lib/install.mjs';
import { say, turbo } from './lib/processes.mjs';
import { ROOT, workspacePackages } from './lib/workspace.mjs';

const tested = workspacePackages().filter(({ manifest }) => manifest.scripts?.test !== undefined);
const resultFileOf = ({ dir }) => join(ROOT, dir, 'test-results', 'jest.json');
const failedSteps = [];
const seconds = () => `${Math.round(performance.now() / 1000)} s`;

async function step(name, work) {
  say(`• ${name}  [${seconds()}]`);
  const code = await work().catch((error) => {
    say(error.message);
    return 1;
  });
  if (code) failedSteps.push(name);
  return !code;
}

async function runEverything() {
  if (!(await step('Install', ensureInstalled))) return;
  // Results of an earlier run must not be counted; turbo brings back those of packages that are unchanged.
  for (const each of tested) rmSync(resultFileOf(each), { force: true });

  const eachCore = `--concurrency=${cpus().length}`;
  await step('Build', () => turbo(['build', eachCore, '--continue', '--output-logs=errors-only']));
  await step('Format, lint, typed lint, layers, types', () =>
    turbo([
      ...['lint:format', 'lint', 'boundaries', 'typecheck'],
      ...[eachCore, '--continue=dependencies-successful', '--output-logs=errors-only'],
    ]),
  );
  // One package after the other: two brokers under load at once would measure each other.
  await step(
    'Test (the suites on brokers take minutes; a broker is started, and fetched the first time)',
    () => turbo(['test', '--concurrency=1', '--continue=dependencies-successful', '--output-logs=new-only']),
  );
}

function addUp() {
  const sum = { passed: 0, failed: 0 };
  const results = tested.map((each) => ({ each, counts: readCounts(resultFileOf(each)) }));
  for (const { each, counts } of results) {
    for (const { test, message } of counts?.failures ?? []) {
      say(`\nFAIL  ${each.manifest.name}  ${test}\n${message}`);
    }
  }
  say(`\nPackages  [${seconds()}]`);
  for (const { each, counts } of results) {
    sum.passed += counts?.passed ?? 0;
    sum.failed += counts?.failed ?? 1;
    say(`  ${each.manifest.name}: ${describe(counts)}`);
  }
  // A failing test makes its step fail too; only what no test case accounts for is added here.
  for (const name of failedSteps.filter((failed) => !failed.startsWith('Test'))) {
    sum.failed += 1;
    say(`  step failed: ${name}`);
  }
  if (failedSteps.length > 0 && sum.failed === 0) sum.failed = 1;
  return sum;
}

function readCounts(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function describe(counts) {
  if (counts === undefined) return 'reported nothing (counted as one failure)';
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

await runEverything();
const { passed, failed } = addUp();
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
say(`\n${passed} passed, ${failed} failed`);

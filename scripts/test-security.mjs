import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withGeneratedPart } from './lib/generated-part.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { run, turbo } from './lib/processes.mjs';
import { readSecurityReports, securityTablesOf } from './lib/security-table.mjs';
import { ROOT } from './lib/workspace.mjs';

// Knocks at every door of secured brokers, bus by bus, and writes reports/security-<bus>.json and the tables of
// docs/security.md. With --check it only compares the tables with the reports.
const BUSES = ['kafka', 'rabbitmq', 'redis'];
const PROGRAM = join(ROOT, 'packages/conformance-tests/dist/security.js');
const PAGE = join(ROOT, 'docs/security.md');
const HELP = `npm run test:security: every protocol and mechanism of every broker, with right keys and with wrong ones

Options
  --bus <name>   only this one: ${BUSES.join(', ')}
  --check        only see whether docs/security.md has the tables that the reports give
  --help         this text
`;

function writeTables(onlyCheck) {
  const current = readFileSync(PAGE, 'utf8');
  const tables = securityTablesOf(readSecurityReports(join(ROOT, 'reports')));
  const wanted = withGeneratedPart(current, 'security-matrix', tables);
  if (wanted === current) return 0;
  if (onlyCheck) {
    process.stderr.write('The tables in docs/security.md are stale. Run: npm run test:security\n');
    return 1;
  }
  writeFileSync(PAGE, wanted);
  process.stdout.write('docs/security.md: tables written\n');
  return 0;
}

async function testBus(bus) {
  const folder = join(ROOT, 'packages', `bus-${bus}`);
  const built = await turbo(['build', `--filter=@omnibus/bus-${bus}...`, '--output-logs=errors-only']);
  if (built !== 0) return built;
  const subject = ['--module', join(folder, 'test', `${bus}-bus-under-test.mjs`)];
  const report = ['--report', join(ROOT, 'reports', `security-${bus}.json`)];
  return run(process.execPath, [PROGRAM, ...subject, ...report], folder);
}

async function main(args) {
  const options = { bus: { type: 'string' }, check: { type: 'boolean' }, help: { type: 'boolean' } };
  const { values } = parseArgs({ args, options });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.bus !== undefined && !BUSES.includes(values.bus))
    throw new Error(`--bus must be one of ${BUSES.join(', ')}, got ${values.bus}`);
  if (values.check) return writeTables(true);
  await ensureInstalled();
  let failed = 0;
  for (const bus of values.bus === undefined ? BUSES : [values.bus]) failed = (await testBus(bus)) || failed;
  return failed || writeTables(false);
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  return 2;
});

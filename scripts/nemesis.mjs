import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled } from './lib/install.mjs';
import { run, turbo } from './lib/processes.mjs';
import { ROOT } from './lib/workspace.mjs';

// The nemesis of the conformance kit against one of the buses, on a broker that is started for the run. The kit reads the
// command line; here it is only looked up which package has the bus.
const PACKAGES = new Map(['kafka', 'redis', 'rabbitmq'].map((bus) => [bus, `bus-${bus}`]));
const PROGRAM = join(ROOT, 'packages/conformance-tests/dist/nemesis.js');

async function nemesis(args) {
  const options = { bus: { type: 'string' }, cluster: { type: 'boolean' } };
  const { bus, cluster } = parseArgs({ args, options, strict: false }).values;
  const name = PACKAGES.get(bus) ?? 'conformance-tests';
  const folder = join(ROOT, 'packages', name);
  await ensureInstalled();
  const built = await turbo(['build', `--filter=@omnibus/${name}...`, '--output-logs=errors-only']);
  if (built !== 0) return built;
  const module = `${bus}-${cluster ? 'cluster' : 'bus'}-under-test.mjs`;
  const subject = PACKAGES.has(bus) ? ['--module', join(folder, 'test', module)] : [];
  return run(process.execPath, [PROGRAM, ...args, ...subject], folder);
}

process.exitCode = await nemesis(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  return 1;
});

import { join } from 'node:path';
import { ensureInstalled } from './install.mjs';
import { run, say, turbo } from './processes.mjs';
import { ROOT } from './workspace.mjs';

/**
 * Installs and builds what a workspace package needs, then runs its program with the arguments of this
 * process, and ends with its exit code.
 *
 * @param {{ packageName: string, entry: string }} program
 */
export async function runProgram({ packageName, entry }) {
  process.exitCode = await attempt(packageName, entry).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    return 1;
  });
}

async function attempt(packageName, entry) {
  await ensureInstalled();
  say('• Building (what is unchanged comes from the cache)');
  const built = await turbo(['build', `--filter=${packageName}...`, '--output-logs=errors-only']);
  if (built !== 0) return built;
  return run(process.execPath, [join(ROOT, entry), ...process.argv.slice(2)]);
}

import { ensureInstalled } from './lib/install.mjs';
import { turbo } from './lib/processes.mjs';

// Runs the named turbo tasks in every package, after installing what is missing.
try {
  await ensureInstalled();
  process.exitCode = await turbo([...process.argv.slice(2), '--continue', '--output-logs=new-only']);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

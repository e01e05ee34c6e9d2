import { access } from 'node:fs/promises';
import type { Report } from './report.js';
import { runCommand } from './run-command.js';

const APT_ENVIRONMENT: NodeJS.ProcessEnv = { DEBIAN_FRONTEND: 'noninteractive' };

let indexUpdated = false;

/** Why packages cannot be installed here, or undefined when they can: as root on Debian or Ubuntu. */
export async function aptUnavailable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may install packages';
  const found = await access('/usr/bin/apt-get').then(
    () => true,
    () => false,
  );
  return found ? undefined : 'apt-get is not there';
}

/**
 * Installs the first of the packages that can be installed, and says so in a line. Returns why it could
 * not, or undefined when it did.
 */
export async function aptInstall(packages: readonly string[], report: Report): Promise<string | undefined> {
  const unavailable = await aptUnavailable();
  if (unavailable !== undefined) return unavailable;
  const env = { ...process.env, ...APT_ENVIRONMENT };
  if (!indexUpdated) {
    report('running apt-get update');
    await runCommand('apt-get', ['update', '-q'], { env });
    indexUpdated = true;
  }
  let why = '';
  for (const name of packages) {
    report(`installing ${name} with apt-get (takes a minute)`);
    const args = ['install', '-y', '-q', '--no-install-recommends', name];
    const { code, output } = await runCommand('apt-get', args, { env });
    if (code === 0) return undefined;
    why = `apt-get install ${name} failed: ${output.trim().split('\n').slice(-3).join(' ')}`;
  }
  return why;
}

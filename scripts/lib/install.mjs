import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, say } from './processes.mjs';
import { ROOT, readJson } from './workspace.mjs';

const STAMP = join(ROOT, 'node_modules', '.omnibus-installed');
const MINIMUM_NODE_MAJOR = 20;

/**
 * Installs the dependencies unless the last installation was of this lockfile with this version of Node.
 *
 * @throws when Node is too old or the installation fails
 */
export async function ensureInstalled() {
  if (Number.parseInt(process.versions.node, 10) < MINIMUM_NODE_MAJOR) {
    throw new Error(`Omnibus needs Node ${MINIMUM_NODE_MAJOR} or newer; this is ${process.version}.`);
  }
  const wanted = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  say('• Installing dependencies (the first time takes a minute or so)');
  const pnpm = readJson('package.json').packageManager;
  // From elsewhere, so that npx takes a pnpm of its own: the one in node_modules may be replaced as it runs.
  const code = await run(
    'npx',
    ['--yes', pnpm, '--dir', ROOT, 'install', '--frozen-lockfile', '--reporter=append-only'],
    tmpdir(),
  );
  if (code !== 0) throw new Error(`Installing the dependencies failed: ${pnpm} exited with code ${code}.`);
  writeFileSync(STAMP, wanted);
}

function fingerprint() {
  const hash = createHash('sha256').update(process.version);
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) {
    hash.update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

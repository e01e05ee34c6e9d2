import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from './processes.mjs';

/**
 * A copy of a package with a defect in it, built, that loads itself by the package's name: what runs in this folder runs on
 * the broken code.
 *
 * @param {string} packageFolder
 * @param {readonly { file: string, find: string, replace: string }[]} changes each must be found exactly once
 * @returns {Promise<{ folder: string, remove: () => void }>}
 */
export async function brokenCopy(packageFolder, changes) {
  const copy = copyOf(packageFolder, 'src');
  try {
    for (const change of changes) breakFile(join(copy.folder, 'src', change.file), change);
    await build(copy.folder, packageFolder);
    return copy;
  } catch (error) {
    copy.remove();
    throw error;
  }
}

/**
 * A copy of a built package that finds some of its dependencies elsewhere: programs started from it, and the processes that
 * those start, run on what stands there.
 *
 * @param {string} packageFolder
 * @param {Readonly<Record<string, string>>} dependencies folder by name
 * @returns {{ folder: string, remove: () => void }}
 */
export function builtOn(packageFolder, dependencies) {
  return copyOf(packageFolder, 'dist', dependencies);
}

function copyOf(packageFolder, part, dependencies = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'omnibus-mutant-'));
  for (const each of [part, 'package.json'])
    cpSync(join(packageFolder, each), join(folder, each), { recursive: true });
  const installed = join(packageFolder, 'node_modules');
  for (const name of packagesIn(installed)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(dependencies[name] ?? join(installed, name), link, 'dir');
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function packagesIn(folder) {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
    );
}

function breakFile(path, { file, find, replace }) {
  const text = readFileSync(path, 'utf8');
  const found = text.split(find).length - 1;
  if (found !== 1) throw new Error(`${file} holds the place of the defect ${found} times: ${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}

/** As the package itself is built, without what nobody reads here. */
async function build(folder, packageFolder) {
  const args = ['--config', join(packageFolder, 'tsup.config.ts'), '--no-dts', '--no-sourcemap', '--silent'];
  if ((await run('tsup', args, folder)) !== 0) throw new Error('the broken copy could not be built');
}

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const folder = mkdtempSync(join(tmpdir(), 'omnibus-mutant-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    cpSync(join(packageFolder, 'src'), join(folder, 'src'), { recursive: true });
    cpSync(join(packageFolder, 'package.json'), join(folder, 'package.json'));
    // Clients and core are the same as those of the healthy package.
    symlinkSync(join(packageFolder, 'node_modules'), join(folder, 'node_modules'), 'dir');
    for (const change of changes) breakFile(join(folder, 'src', change.file), change);
    await build(folder);
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
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

async function build(folder) {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  const args = [
    'src/index.ts',
    '--no-config',
    '--format',
    'cjs,esm',
    '--target',
    'node20',
    '--shims',
    '--silent',
  ];
  if ((await run('tsup', args, folder)) !== 0) throw new Error('the broken copy could not be built');
}

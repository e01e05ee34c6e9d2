import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const GROUPS = ['packages', 'examples', '.', 'scripts'];

/**
 * Every package of the workspace, with its folder relative to the repository's top. Reads the folders and
 * not pnpm's list, so that it works before anything is installed.
 *
 * @returns {{ dir: string, manifest: any }[]}
 */
export function workspacePackages() {
  return GROUPS.flatMap((group) =>
    readdirSync(join(ROOT, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, group, entry.name, 'package.json')))
      .map((entry) => {
        const dir = join(group, entry.name);
        return { dir, manifest: readJson(join(dir, 'package.json')) };
      }),
  );
}

/** @param {string} path relative to the repository's top */
export function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
}

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun } from './commands.js';
import type { WorkspacePackage } from './repository.js';

/** A package as it would be published. */
export interface PackedPackage extends WorkspacePackage {
  readonly tarball: string;
}

/** Packs packages with `npm pack` into a folder of their own. */
export function pack(packages: readonly WorkspacePackage[]): readonly PackedPackage[] {
  const destination = temporaryFolder();
  return packages.map((each) => {
    const [packed]: readonly { readonly filename: string }[] = JSON.parse(
      mustRun('npm', ['pack', '--json', '--pack-destination', destination], each.dir),
    );
    if (packed === undefined) throw new Error(`npm packed nothing for ${each.manifest.name}.`);
    return { ...each, tarball: join(destination, packed.filename) };
  });
}

/** An empty project of one module format with packages installed, as a user would have it. */
export function projectWith(type: 'module' | 'commonjs', install: readonly string[]): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type }));
  mustRun(
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', ...install],
    folder,
  );
  return folder;
}

/** The packages that an installation brought, scoped names in full. */
export function installedPackages(project: string): readonly string[] {
  const modules = join(project, 'node_modules');
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    .sort();
}

const made: string[] = [];

/** Removes everything that packing and installing left. */
export function removeTemporaryFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnibus-packed-'));
  made.push(folder);
  return folder;
}

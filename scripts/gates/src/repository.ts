import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The repository's top folder. jest runs in `scripts/gates`. */
export const ROOT: string = resolve(process.cwd(), '../..');

/** The fields of a package.json that the gates look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly engines?: { readonly node?: string };
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, ExportTarget>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A file, or conditions that lead to one. */
export type ExportTarget = string | { readonly [condition: string]: ExportTarget };

/** A package of the workspace. */
export interface WorkspacePackage {
  readonly dir: string;
  readonly manifest: Manifest;
}

/** Reads a file, by its path from the repository's top. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every package of the workspace. */
export function workspacePackages(): readonly WorkspacePackage[] {
  return repositoryFiles()
    .filter((file) => file.endsWith('/package.json'))
    .map((file) => {
      const manifest: Manifest = JSON.parse(read(file));
      return { dir: join(ROOT, file, '..'), manifest };
    });
}

/** The packages that are published. */
export function publicPackages(): readonly WorkspacePackage[] {
  return workspacePackages().filter(({ manifest }) => manifest.private !== true);
}

/** Every file that is committed or would be, as paths from the repository's top. */
export function repositoryFiles(): readonly string[] {
  const listed = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const files = listed.status === 0 ? listed.stdout.split('\0').filter(Boolean) : walk(ROOT);
  return [...new Set(files)].filter((file) => existsSync(join(ROOT, file))).sort();
}

const NEVER_COMMITTED = new Set(['.git', '.turbo', 'coverage', 'dist', 'node_modules', 'test-results']);

/** For a copy of the sources without git. */
function walk(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !NEVER_COMMITTED.has(name))
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? walk(path) : [relative(ROOT, path)];
    });
}

import { dirname, join } from 'node:path';
import { CORE_LAYERS } from '../../lib/layers.cjs';
import { ROOT, read, repositoryFiles, workspacePackages } from '../src/repository.js';

const TEXT = /\.(ts|js|mjs|cjs|mts|cts|json|ya?ml|md|sh|txt)$|^[^.]+$/;
const texts = repositoryFiles().filter((file) => TEXT.test(file));

/** `file:line: text` of every line that matches. */
function linesMatching(pattern: RegExp, files: readonly string[]): readonly string[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .map((text, index) => ({ text, at: `${file}:${index + 1}` }))
      .filter(({ text }) => pattern.test(text))
      .map(({ text, at }) => `${at}: ${text.trim().slice(0, 160)}`),
  );
}

it('keeps every host out of the lockfile', () => {
  expect(linesMatching(/https?:/, ['pnpm-lock.yaml'])).toEqual([]);
});

it('names no path of a machine and no package registry in any file', () => {
  const machine = /(^|[\s"'`(=:])\/(home|Users|root|work)\/\w/;
  const registry = /https?:\/\/[^\s/]*\b(registry|artifactory|jfrog|nexus|verdaccio)\b/i;
  expect(linesMatching(new RegExp(`${machine.source}|${registry.source}`), texts)).toEqual([]);
});

it('silences no check of types in the sources', () => {
  const sources = texts.filter((file) =>
    /^(packages|examples|benchmarks|scripts)\/.*\.[cm]?tsx?$/.test(file),
  );
  const silencers = ['@ts-' + 'ignore', '@ts-' + 'nocheck', 'noExplicit' + 'Any'];
  expect(linesMatching(new RegExp(silencers.join('|')), sources)).toEqual([]);
});

it('runs the tests of every package that has some', () => {
  const withTests = texts
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(ROOT, file.slice(0, file.search(/\/(src|test)\//))));
  const run = new Set(
    workspacePackages()
      .filter(({ manifest }) => manifest.scripts?.test !== undefined)
      .map(({ dir }) => dir),
  );
  expect([...new Set(withTests)].filter((dir) => !run.has(dir))).toEqual([]);
});

it('gives every file of core a layer, and every layer files that exist', () => {
  const base = 'packages/core/src/';
  const files = texts
    .filter((file) => file.startsWith(base) && file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(base.length, -'.ts'.length));
  const listed = CORE_LAYERS.flatMap((layer) => layer.files);
  const folders = (file: string) => `${dirname(file)}/`;
  expect(files.filter((file) => !listed.includes(file) && !listed.includes(folders(file)))).toEqual([]);
  expect(
    listed.filter((name) => !files.includes(name) && !files.some((file) => folders(file) === name)),
  ).toEqual([]);
});

/** The part of `DESIGN.md`'s file map that is about one package, and that package's source files. */
const fileMap = read('DESIGN.md')
  .split('\n## File map\n')[1]
  ?.split('\n### ')
  .flatMap((part) => {
    const folder = /^packages\/[^/]+\/src/.exec(part)?.[0];
    if (folder === undefined) return [];
    const files = texts.filter((file) => file.startsWith(`${folder}/`) && file.endsWith('.ts'));
    const names = [...part.matchAll(/`([^`\s]+\.ts)`/g)].map(([, name = '']) => name);
    return [{ folder, files, names }];
  });

it("names every source file of the packages in DESIGN.md's file map", () => {
  const sources = texts.filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file));
  const named = (file: string) =>
    fileMap?.some(({ folder, names }) => names.some((name) => isNamed(folder, file, name)));
  expect(sources.filter((file) => !named(file))).toEqual([]);
});

it("names no file in DESIGN.md's file map that does not exist", () => {
  const gone = fileMap?.flatMap(({ folder, files, names }) =>
    names
      .filter((name) => !files.some((file) => isNamed(folder, file, name)))
      .map((name) => `${folder}: ${name}`),
  );
  expect(gone).toEqual([]);
});

/** By its path below the folder, or by the end of it. */
function isNamed(folder: string, file: string, name: string): boolean {
  return file.startsWith(`${folder}/`) && file.endsWith(`/${name}`);
}

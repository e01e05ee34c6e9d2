import type { Options } from 'tsup';

/** What every published package is built with: ESM and CJS, each with declarations of its own. */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: ['esm', 'cjs'],
    target: 'node20',
    platform: 'node',
    // tsup sets `baseUrl` for its declaration build, which TypeScript 6 calls deprecated.
    dts: { compilerOptions: { ignoreDeprecations: '6.0', isolatedDeclarations: false } },
    // Entries share chunks in both formats, so that a class exists once however it is reached.
    splitting: true,
    // What one format lacks (`import.meta.url` in CJS, `__filename` in ESM) is filled in where it is used.
    shims: true,
    sourcemap: true,
    clean: true,
    treeshake: false,
  };
}

/** What programs are built with, which nothing imports: ESM for Node, without declarations. */
export function application(entry: Record<string, string>): Options {
  return { ...library(entry), format: ['esm'], dts: false };
}

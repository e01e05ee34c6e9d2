import { join } from 'node:path';
import { ensureInstalled } from './lib/install.mjs';
import { run, say } from './lib/processes.mjs';
import { ROOT } from './lib/workspace.mjs';

/** What takes too long for `npm test`. Each part is a program of a package's tests, with options of its own. */
const PARTS = {
  simulation: {
    does: 'the engine under simulation: 100,000 scenarios of faults',
    options: '--runs N  --seed N',
    packageDir: 'packages/core',
    entry: 'test/simulation/main.ts',
  },
  fuzz: {
    does: 'the codec and the headers: 1,000,000 hostile records',
    options: '--records N  --seed N',
    packageDir: 'packages/core',
    entry: 'test/fuzz/main.ts',
  },
};

function usage() {
  const parts = Object.entries(PARTS).map(
    ([name, { does, options }]) => `  ${name.padEnd(12)}${does}\n${' '.repeat(14)}${options}`,
  );
  return [
    'npm run test:long                      all parts, one after the other',
    'npm run test:long -- PART [OPTIONS]    one of them',
    '',
    ...parts,
  ].join('\n');
}

/** Bundled, because Node runs no TypeScript; a jest run of the same takes half as long again. */
async function runPart({ packageDir, entry }, args) {
  const { build } = await import('tsup');
  const outDir = join(ROOT, packageDir, 'test-results', 'long');
  await build({
    config: false,
    entry: { main: join(ROOT, packageDir, entry) },
    outDir,
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    // Fixtures are read from beside the sources.
    define: { __dirname: JSON.stringify(join(ROOT, packageDir, 'test')) },
    silent: true,
  });
  return run(
    process.execPath,
    ['--enable-source-maps', join(outDir, 'main.cjs'), ...args],
    join(ROOT, packageDir),
  );
}

async function main([name, ...args]) {
  if (name === '--help' || name === '-h') return say(usage());
  const names = name === undefined ? Object.keys(PARTS) : [name];
  if (!names.every((each) => Object.hasOwn(PARTS, each))) {
    say(`There is no part ${name}.\n\n${usage()}`);
    process.exitCode = 2;
    return;
  }
  await ensureInstalled();
  for (const each of names) {
    say(`• ${each}: ${PARTS[each].does}`);
    if ((await runPart(PARTS[each], args)) !== 0) process.exitCode = 1;
  }
}

await main(process.argv.slice(2));

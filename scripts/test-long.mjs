import { join } from 'node:path';
import { PARTS as MUTATION_PARTS } from '../packages/core/test/mutation/parts.mjs';
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
  mutation: {
    does: 'mutants of core, and whether its tests find them; hours in all, an hour a part at most',
    options: `--part ${Object.keys(MUTATION_PARTS).join('|')}  --files NAME,NAME`,
    packageDir: 'packages/core',
    entry: 'test/mutation/main.mjs',
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

async function runPart({ packageDir, entry }, args) {
  const folder = join(ROOT, packageDir);
  const program = entry.endsWith('.mjs') ? join(folder, entry) : await bundled(folder, entry);
  return run(process.execPath, ['--enable-source-maps', program, ...args], folder);
}

/** Because Node runs no TypeScript; a jest run of the same takes half as long again. */
async function bundled(folder, entry) {
  const { build } = await import('tsup');
  const outDir = join(folder, 'test-results', 'long');
  await build({
    config: false,
    entry: { main: join(folder, entry) },
    outDir,
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    // Fixtures are read from beside the sources.
    define: { __dirname: JSON.stringify(join(folder, 'test')) },
    silent: true,
  });
  return join(outDir, 'main.cjs');
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

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brokenCopy, builtOn } from './broken-copy.mjs';
import { ROOT } from './workspace.mjs';

const PACKAGES = join(ROOT, 'packages');
const KIT = join(PACKAGES, 'conformance-tests');
const CORE = join(PACKAGES, 'core');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const execute = promisify(execFile);

/** Where mutants come from: `memory` wraps the in-memory bus, `core` breaks what it is made of, the others break an adapter. */
export const SOURCES = ['memory', 'core', 'kafka', 'redis', 'rabbitmq'];

/**
 * Runs the mutants of one source, and at last its healthy bus.
 *
 * @param {string} source
 * @param {string} [only] name of one mutant
 * @returns {AsyncIterable<{ name: string, defect: string, expected: readonly string[], caughtBy: readonly string[] }>}
 */
export function runMutants(source, only) {
  return source === 'memory' ? wrapped(only) : broken(source, only);
}

/**
 * The mutants of a source that stand in a file of its package.
 *
 * @param {string} source
 * @returns {Promise<readonly { name: string, defect: string, caughtBy: readonly string[], changes: readonly object[] }[]>}
 */
export async function mutantsOf(source) {
  if (source === 'memory') return [];
  return (await import(join(folderOf(source), 'test/mutants.mjs'))).mutants;
}

/** Those of the in-memory bus are made by the kit itself, in one process; its tests look at the healthy one. */
async function* wrapped(only) {
  const program = join(KIT, 'dist/mutants.js');
  const { stdout } = await execute(process.execPath, [program, ...(only === undefined ? [] : [only])], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  for (const line of stdout.split('\n')) if (line.startsWith('{')) yield JSON.parse(line);
}

/** Those of a package are copies of it with a line of its source replaced. */
async function* broken(source, only) {
  const chosen = (await mutantsOf(source)).filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) return;
  for (const { name, defect, caughtBy: expected, changes } of chosen) {
    const copy = await brokenCopy(folderOf(source), changes);
    try {
      yield { name, defect, expected, caughtBy: await failing(source, copy.folder, expected) };
    } finally {
      copy.remove();
    }
  }
  const ids = [...new Set(chosen.flatMap(({ caughtBy }) => caughtBy))].sort();
  const caughtBy = await failing(source, folderOf(source), ids);
  yield { name: `${source} (healthy)`, defect: 'no defect', expected: [], caughtBy };
}

function folderOf(source) {
  return source === 'core' ? CORE : join(PACKAGES, `bus-${source}`);
}

/** The ids that fail in this folder's build of the package. */
async function failing(source, folder, ids) {
  if (source !== 'core') return failingIn(folder, KIT, ['--module', subjectOf(source)], ids);
  const kit = builtOn(KIT, { '@omnibus/core': folder });
  try {
    return await failingIn(kit.folder, kit.folder, ['--bus', 'memory'], ids);
  } finally {
    kit.remove();
  }
}

function subjectOf(bus) {
  return join(PACKAGES, `bus-${bus}`, 'test', `${bus}-bus-under-test.mjs`);
}

async function failingIn(folder, kit, subject, ids) {
  const report = join(folder, 'test-results', 'mutant.json');
  const args = [join(kit, 'dist/cli.js'), ...subject, '--ids', ids.join(','), '--report', report];
  // A failing id makes it end with 1: the report tells which.
  await execute(process.execPath, args, { cwd: folder, maxBuffer: MAX_OUTPUT_BYTES }).catch(() => {});
  if (!existsSync(report)) throw new Error(`The kit wrote no report for ${folder}`);
  const { ids: statuses } = JSON.parse(readFileSync(report, 'utf8'));
  return ids.filter((id) => statuses[id].status === 'fail');
}

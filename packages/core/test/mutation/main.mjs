import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { mutationPage, PAGE, REPORT } from '../../../../scripts/lib/mutation-page.mjs';
import { mutationOptions } from './options.mjs';
import { PARTS } from './parts.mjs';

const CORE = fileURLToPath(new URL('../..', import.meta.url));

/** Stryker's words for what became of a mutant, and the report's. Others (code that cannot run) count nowhere. */
const OUTCOMES = { Killed: 'killed', Timeout: 'timedOut', Survived: 'survived', NoCoverage: 'notReached' };

/** The least share of a file's mutants that must be found. */
const LEAST_FOUND = 0.85;

class UsageError extends Error {}

function chosenParts() {
  let values;
  try {
    ({ values } = parseArgs({ options: { part: { type: 'string' }, files: { type: 'string' } } }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { part, files } = values;
  if (part !== undefined && !Object.hasOwn(PARTS, part))
    throw new UsageError(
      `There is no part ${part} of the mutants. They are ${Object.keys(PARTS).join(', ')}.`,
    );
  const parts = part === undefined ? Object.values(PARTS) : [PARTS[part]];
  return files === undefined ? parts : only(files.split(','), parts);
}

function only(wanted, parts) {
  const unknown = wanted.filter((file) => !parts.some(({ files }) => files.includes(file)));
  if (unknown.length > 0) throw new UsageError(`No part mutates ${unknown.join(', ')}.`);
  return parts
    .map(({ files, tests }) => ({ files: files.filter((file) => wanted.includes(file)), tests }))
    .filter(({ files }) => files.length > 0);
}

/** What became of each file's mutants, with those that no test found. */
function outcomes(results) {
  const files = {};
  for (const { fileName, location, mutatorName, replacement, status } of results) {
    const outcome = OUTCOMES[status];
    if (outcome === undefined) continue;
    const name = fileName.replace(/^.*\/src\//, '').replace(/\.ts$/, '');
    files[name] ??= { killed: 0, timedOut: 0, survived: 0, notReached: 0, survivors: [] };
    files[name][outcome] += 1;
    if (outcome === 'survived' || outcome === 'notReached')
      files[name].survivors.push({
        line: location.start.line,
        mutatorName,
        was: textAt(name, location),
        replacement,
      });
  }
  return files;
}

function textAt(name, { start, end }) {
  const lines = readFileSync(join(CORE, 'src', `${name}.ts`), 'utf8').split('\n');
  const taken = lines.slice(start.line - 1, end.line);
  taken[taken.length - 1] = taken.at(-1).slice(0, end.column - 1);
  taken[0] = taken[0].slice(start.column - 1);
  return taken.join('\n');
}

/** Beside what other parts have measured. */
function report(measured) {
  const before = existsSync(REPORT) ? JSON.parse(readFileSync(REPORT, 'utf8')) : {};
  const all = Object.entries({ ...before, ...measured }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(REPORT, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  writeFileSync(PAGE, mutationPage());
}

function judge(name, { killed, timedOut, survived, notReached }) {
  const found = killed + timedOut;
  const mutants = found + survived + notReached;
  const isEnough = found >= LEAST_FOUND * mutants;
  console.log(`${name}: ${found} of ${mutants} mutants found${isEnough ? '' : ', too few'}`);
  if (!isEnough) process.exitCode = 1;
}

process.chdir(CORE);
try {
  // File by file, so that what is measured is written down as it comes.
  for (const [file, tests] of chosenParts().flatMap(({ files, tests }) =>
    files.map((file) => [file, tests]),
  )) {
    const measured = outcomes(await new Stryker(mutationOptions(file, tests)).runMutationTest());
    report(measured);
    for (const [name, counts] of Object.entries(measured)) judge(name, counts);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EQUIVALENT } from '../../packages/core/test/mutation/equivalent.mjs';
import layers from './layers.cjs';
import { markdownTable } from './markdown-table.mjs';
import { ROOT } from './workspace.mjs';

export const REPORT = join(ROOT, 'reports/mutation-core.json');
export const PAGE = join(ROOT, 'docs/mutation-of-core.md');

const MEASURED_LAYERS = ['pure', 'stateful'];
const HEAD = `# Mutation of core

[Stryker](https://stryker-mutator.io) changes core's sources, one small thing at a time, and runs the tests: a mutant that no test finds is code that no test asks about. The score is the share that was found, by a test that failed or by one that never ended. Each file is asked of the tests that are nearest to it (\`packages/core/test/mutation/parts.mjs\`) and of 50 scenarios of the simulation, not of all tests: the scores are lower bounds. Sentences of error messages are not mutated. A file is as it was when it was last measured: tests and code that a survivor asked for may have come since.

This page is written by \`npm run test:long -- mutation\`, from \`reports/mutation-core.json\`.
`;

/** @returns {string} the page that the report gives */
export function mutationPage() {
  const report = existsSync(REPORT) ? JSON.parse(readFileSync(REPORT, 'utf8')) : {};
  const files = Object.keys(report);
  return [
    HEAD,
    table(report),
    '',
    `Not measured so far: ${unmeasured(files).join(', ') || 'none'}.`,
    '',
    '## Those that no test found',
    '',
    ...files.flatMap((file) => survivorsOf(file, report[file].survivors)),
  ].join('\n');
}

function table(report) {
  const files = Object.entries(report);
  const sum = (outcome) => files.reduce((total, [, counts]) => total + counts[outcome], 0);
  const all = Object.fromEntries(
    ['killed', 'timedOut', 'survived', 'notReached'].map((outcome) => [outcome, sum(outcome)]),
  );
  return markdownTable(
    ['file', 'mutants', 'a test failed', 'no end', 'survived', 'no test reaches it', 'score'],
    [...files.map(([file, counts]) => row(`\`${file}.ts\``, counts)), row('all', all)],
  );
}

function row(name, { killed, timedOut, survived, notReached }) {
  const found = killed + timedOut;
  const mutants = found + survived + notReached;
  const score = mutants === 0 ? '' : `${((100 * found) / mutants).toFixed(1)} %`;
  return [name, ...[mutants, killed, timedOut, survived, notReached].map(String), score];
}

function unmeasured(files) {
  return layers.CORE_LAYERS.filter(({ name }) => MEASURED_LAYERS.includes(name))
    .flatMap((layer) => layer.files)
    .filter((file) => !files.includes(file))
    .map((file) => `\`${file}.ts\``);
}

function survivorsOf(file, survivors) {
  if (survivors.length === 0) return [];
  const sorted = [...survivors].sort((a, b) => a.line - b.line);
  const lines = sorted.map(({ line, was, replacement }) => {
    const known = EQUIVALENT.find(
      (each) => each.file === file && each.was === was && each.replacement === replacement,
    );
    const change = `- line ${line}: ${code(was)} → ${code(replacement)}`;
    return known === undefined ? change : `${change}: equivalent, ${known.because}`;
  });
  return [`### \`${file}.ts\``, '', ...lines, ''];
}

/** On one line, shortened, and safe for backticks inside. */
function code(text) {
  const flat = text.replaceAll(/\s+/g, ' ');
  const short = flat.length > 90 ? `${flat.slice(0, 89)}…` : flat;
  return flat.includes('`') ? `\`\` ${short} \`\`` : `\`${short}\``;
}

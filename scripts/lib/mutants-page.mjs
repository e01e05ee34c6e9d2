import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from './markdown-table.mjs';
import { REASONS } from './mutant-reasons.mjs';
import { mutantsOf, SOURCES } from './mutant-runs.mjs';
import { ROOT, readJson } from './workspace.mjs';

const PAGE = 'docs/mutants.md';
const NOT_RUN = 'not run yet';

const HEAD = `# Mutants

Buses with one deliberate defect each, and which ids of the conformance kit find them: what shows that the kit can fail. Those of \`memory\` are wrapped around the in-memory bus (\`packages/conformance-tests/src/mutants\`, also run by \`npm test\`). Those of \`core\` are copies of what all buses are made of, with a line of its source replaced, run in memory (\`packages/core/test/mutants\`). Those of \`kafka\`, \`redis\` and \`rabbitmq\` are copies of the adapters, broken the same way, on real brokers (\`test/mutants.mjs\` of each).

A mutant is run against the ids that are named with it, not against all 120. This page is written by \`npm run mutants\` from \`reports/mutants-*.json\`; each is what one run showed:
`;

/**
 * Keeps what a run of all mutants of one source showed.
 *
 * @param {string} source
 * @param {readonly { name: string, defect: string, expected: readonly string[], caughtBy: readonly string[] }[]} mutants
 */
export function storeMutants(source, mutants) {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT }).toString().trim();
  const report = { source, node: process.version, date: new Date().toISOString(), commit, mutants };
  writeFileSync(join(ROOT, pathOf(source)), `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Writes the page from what is kept. */
export async function writeMutantsPage() {
  writeFileSync(join(ROOT, PAGE), pageOf(await keptReports()));
}

/** Fails when the page is not what the reports give, or an id has neither a mutant nor a reason, or both. */
export async function checkMutantsPage() {
  const reports = await keptReports();
  const problems = coverageOf(reports, catalogue()).flatMap(({ problem }) => problem ?? []);
  if (readFileSync(join(ROOT, PAGE), 'utf8') !== pageOf(reports))
    problems.push(`${PAGE} is not what the reports give: run npm run mutants`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** What is kept of each source: without the mutants that were removed since, and with those that were written since. */
async function keptReports() {
  const kept = SOURCES.filter((source) => existsSync(join(ROOT, pathOf(source))));
  return Promise.all(
    kept.map(async (source) => {
      const report = readJson(pathOf(source));
      return { ...report, mutants: upToDate(report.mutants, await mutantsOf(source)) };
    }),
  );
}

function upToDate(shown, written) {
  // The kit itself makes those of the in-memory bus: what it ran is all that it has.
  if (written.length === 0) return shown;
  const names = new Set(written.map(({ name }) => name));
  const known = new Set(shown.map(({ name }) => name));
  const notRun = written.filter(({ name }) => !known.has(name));
  return [
    ...shown.filter(({ name, expected }) => names.has(name) || expected.length === 0),
    ...notRun.map(({ name, defect, caughtBy }) => ({ name, defect, expected: caughtBy })),
  ];
}

function pathOf(source) {
  return `reports/mutants-${source}.json`;
}

/** Ids in the order of the suite. */
function catalogue() {
  return Object.keys(readJson('reports/conformance-memory.json').ids);
}

function pageOf(reports) {
  const coverage = coverageOf(reports, catalogue());
  const named = coverage.filter(({ mutants }) => mutants.length > 0);
  const found = named.filter(({ mutants }) => mutants.some((name) => !name.endsWith(`(${NOT_RUN})`)));
  return [
    HEAD,
    markdownTable(
      ['bus', 'run of', 'commit'],
      reports.map(({ source, date, commit }) => [source, date.slice(0, 10), commit.slice(0, 9)]),
    ),
    '\n## Who finds which\n',
    markdownTable(['bus', 'mutant', 'the bus …', 'found by'], reports.flatMap(rowsOf)),
    '\n## What each id finds\n',
    `${found.length} of ${coverage.length} ids have found a mutant. ${named.length - found.length} more have one that was not run yet. For the others stands why there is none.\n`,
    markdownTable(['id', 'mutants, or why none'], coverage.map(rowOfId)),
    '',
  ].join('\n');
}

function rowsOf({ source, mutants }) {
  return mutants.map(({ name, defect, caughtBy }) => [
    source,
    name,
    defect,
    caughtBy === undefined ? NOT_RUN : caughtBy.join(', ') || 'none',
  ]);
}

function rowOfId({ id, mutants, reason }) {
  return [id, mutants.length > 0 ? mutants.join(', ') : `none: ${reason ?? 'nobody wrote one yet'}`];
}

/** Of each id the mutants that it finds, or that it is to find as soon as they are run; else the reason why there is none. */
function coverageOf(reports, ids) {
  return ids.map((id) => {
    const mutants = reports.flatMap((report) => report.mutants.flatMap((mutant) => nameFor(id, mutant)));
    const reason = REASONS[id];
    const has = mutants.length > 0;
    if (has && reason !== undefined)
      return { id, mutants, problem: `${id} has a mutant and a reason why not` };
    if (!has && reason === undefined)
      return { id, mutants, problem: `${id} has neither a mutant nor a reason` };
    return { id, mutants, reason };
  });
}

function nameFor(id, { name, expected, caughtBy }) {
  if (caughtBy === undefined) return expected.includes(id) ? [`${name} (${NOT_RUN})`] : [];
  return caughtBy.includes(id) ? [name] : [];
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson, workspacePackages } from './workspace.mjs';

const STORE = join(ROOT, 'node_modules', '.pnpm');

/** Whoever uses the packages of this repository may live with these. */
const FOR_APPLICATIONS = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);
/** What only developers install may have these besides. */
const FOR_DEVELOPERS = new Set(['BlueOak-1.0.0', 'Unlicense', 'CC0-1.0', 'CC-BY-4.0', 'Python-2.0']);
/** What a package.json does not say, and its files do. */
const READ_BY_HAND = { spawndamnit: 'MIT' };

/**
 * Every package of the lockfile, with its licence, and whether applications install it too. Without those that only some
 * platforms have: the list is the same everywhere.
 *
 * @returns {{ name: string, licence: string, forApplications: boolean }[]}
 */
export function listedPackages() {
  const runtime = runtimePackages();
  const licences = new Map();
  for (const { name, version } of lockedPackages()) {
    const licence = READ_BY_HAND[name] ?? licenceOf(name, version);
    licences.set(name, licences.has(name) ? both(licences.get(name), licence) : licence);
  }
  return [...licences]
    .map(([name, licence]) => ({ name, licence, forApplications: runtime.has(name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is wrong with a licence; undefined when nothing is. */
export function problemOf({ name, licence, forApplications }) {
  const isAllowed = (each) => FOR_APPLICATIONS.has(each) || (!forApplications && FOR_DEVELOPERS.has(each));
  // One of several may be chosen; of those that count together all count.
  const choices = licence.replaceAll(/[()]/g, '').split(' OR ');
  if (choices.some((choice) => choice.split(' AND ').every(isAllowed))) return undefined;
  return `${name}: ${licence} is not on the list of scripts/lib/licences.mjs`;
}

/** The page for readers. */
export function licencesPage(packages) {
  const table = (list) => {
    return [...byLicence(list)]
      .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
      .map(([licence, some]) => `**${licence}**, ${some.length}: ${some.map(({ name }) => name).join(', ')}.`)
      .join('\n\n');
  };
  return `# Licences

Written by \`npm run licences\` from the lockfile; a gate refuses a licence that is not on the list of \`scripts/lib/licences.mjs\`. Omnibus itself is under the [MIT licence](../LICENSE).

## What applications install

The packages have no dependencies of their own. The client of the broker and \`@opentelemetry/api\`, which the application chooses, and what those need:

${table(packages.filter(({ forApplications }) => forApplications))}

## What only developers install

${table(packages.filter(({ forApplications }) => !forApplications))}
`;
}

function byLicence(list) {
  const found = new Map();
  for (const each of list) found.set(each.licence, [...(found.get(each.licence) ?? []), each]);
  return found;
}

function both(one, other) {
  return one === other ? one : `${one} AND ${other}`;
}

function lockedPackages() {
  const [, after = ''] = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8').split('\npackages:\n');
  const [section = ''] = after.split('\nsnapshots:\n');
  return section
    .split('\n\n')
    .filter((entry) => !/^ {4}(os|cpu|libc):/m.test(entry))
    .map((entry) => /^\s*'?(@?[^@'\s]+)@([^:'\s]+)'?:/.exec(entry))
    .filter((found) => found !== null)
    .map(([, name, version]) => ({ name, version }));
}

function licenceOf(name, version) {
  const manifest = manifestOf(name, version);
  const licence = manifest.license ?? manifest.licenses?.map(({ type }) => type).join(' OR ');
  return typeof licence === 'object' ? licence.type : (licence ?? 'none');
}

let folders;
function manifestOf(name, version) {
  folders ??= readdirSync(STORE);
  const prefix = `${name.replace('/', '+')}@${version}`;
  const folder = folders.find((each) => each === prefix || each.startsWith(`${prefix}_`));
  const path = join(STORE, folder ?? '', 'node_modules', name, 'package.json');
  if (folder === undefined || !existsSync(path)) throw new Error(`${name}@${version} is not installed`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Dependencies and peers of what is published, and theirs. */
function runtimePackages() {
  const locked = new Map(lockedPackages().map(({ name, version }) => [name, version]));
  const found = new Set();
  const visit = (name) => {
    if (found.has(name) || !locked.has(name)) return;
    found.add(name);
    Object.keys(manifestOf(name, locked.get(name)).dependencies ?? {}).forEach(visit);
  };
  for (const { dir } of workspacePackages()) {
    const {
      private: isPrivate,
      dependencies = {},
      peerDependencies = {},
    } = readJson(join(dir, 'package.json'));
    if (!isPrivate) Object.keys({ ...dependencies, ...peerDependencies }).forEach(visit);
  }
  return found;
}

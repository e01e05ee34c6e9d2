import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../src/commands.js';
import { conditionProblems, exportedFiles } from '../src/export-targets.js';
import { pack, removeTemporaryFolders } from '../src/packed.js';
import { publicPackages, ROOT, read, workspacePackages } from '../src/repository.js';

// Built besides what the exports name: the command, which a file in bin/ imports, and the programs that child
// processes run, which are started by their paths.
const PROGRAMS = new Set([
  'dist/cli',
  'dist/child-host',
  'dist/kafka-process',
  'dist/mutants',
  'dist/nemesis',
  'dist/rabbitmq-process',
  'dist/redis-process',
  'dist/security',
]);

const packages = publicPackages().map((each) => ({ ...each, name: each.manifest.name }));
const core = packages.find(({ name }) => name === '@omnibus/core');

afterAll(removeTemporaryFolders);

it('publishes core, the buses and the conformance kit', () => {
  expect(packages.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      '@omnibus/bus-kafka',
      '@omnibus/bus-rabbitmq',
      '@omnibus/bus-redis',
      '@omnibus/conformance-tests',
      '@omnibus/core',
    ]),
  );
});

it('keeps the versions of siblings in step, also as peers', () => {
  const version = core?.manifest.version;
  const siblings = new Set(packages.map(({ name }) => name));
  for (const { manifest } of packages) {
    expect(manifest.version).toBe(version);
    for (const [peer, range] of Object.entries(manifest.peerDependencies ?? {})) {
      if (siblings.has(peer)) expect({ peer, range }).toEqual({ peer, range: `^${version}` });
    }
  }
});

it('releases every public package in one fixed group', () => {
  const { fixed }: { fixed: readonly (readonly string[])[] } = JSON.parse(read('.changeset/config.json'));
  const matches = (name: string) =>
    fixed[0]?.some((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`).test(name));
  expect(packages.filter(({ name }) => !matches(name)).map(({ name }) => name)).toEqual([]);
});

it('lets core depend on nothing but the OpenTelemetry API, and on that optionally', () => {
  expect(core?.manifest.dependencies ?? {}).toEqual({});
  expect(Object.keys(core?.manifest.peerDependencies ?? {})).toEqual(['@opentelemetry/api']);
  expect(core?.manifest.peerDependenciesMeta).toEqual({ '@opentelemetry/api': { optional: true } });
});

it('lets no package but a private one depend on a sibling otherwise than as a peer', () => {
  const dependencies = packages.flatMap(({ name, manifest }) =>
    Object.keys(manifest.dependencies ?? {}).map((dependency) => `${name} → ${dependency}`),
  );
  expect(dependencies.filter((each) => each.includes('→ @omnibus/'))).toEqual([]);
});

it('asks for the same Node everywhere', () => {
  const engines = workspacePackages().map(({ manifest }) => manifest.engines?.node);
  expect(new Set(engines)).toEqual(new Set(['>=20']));
});

describe.each(packages)('$name', ({ name, dir, manifest }) => {
  it('has built every file that its exports and its commands name', () => {
    expect(exportedFiles(manifest).filter((file) => !existsSync(join(dir, file)))).toEqual([]);
  });

  it('exports every entry that it builds', () => {
    const stem = (file: string) => file.replace(/(\.d)?\.c?[jt]s$/, '');
    const named = new Set([...exportedFiles(manifest).map(stem), ...PROGRAMS]);
    const chunk = /-[A-Za-z0-9_-]{8}(\.d)?\.c?[jt]s$/;
    const built = readdirSync(join(dir, 'dist')).filter(
      (file) => !file.endsWith('.map') && !chunk.test(file),
    );
    expect(built.filter((file) => !named.has(stem(`dist/${file}`)))).toEqual([]);
  });

  it('has declarations of its own for each module format', () => {
    const problems = Object.entries(manifest.exports ?? {}).flatMap(([path, target]) =>
      conditionProblems(path, target),
    );
    expect(problems).toEqual([]);
  });

  it('is clean for publint and for attw when packed', () => {
    const [packed] = pack([{ dir, manifest }]);
    const tarball = packed?.tarball ?? `${name} was not packed`;
    const bin = join(ROOT, 'scripts/gates/node_modules/.bin');
    expect(() => mustRun(join(bin, 'publint'), ['--strict', tarball], ROOT)).not.toThrow();
    expect(() => mustRun(join(bin, 'attw'), ['--no-emoji', '--no-color', tarball], ROOT)).not.toThrow();
  });
});

import { join } from 'node:path';
import { run } from '../src/commands.js';
import { publicPackages, ROOT, read, repositoryFiles } from '../src/repository.js';

const workflows = repositoryFiles().filter((file) => /^\.github\/workflows\/.*\.ya?ml$/.test(file));
const lines = workflows.flatMap((file) =>
  read(file)
    .split('\n')
    .map((text, index) => ({ at: `${file}:${index + 1}`, text: text.trim() })),
);
const LIBRARY = join(ROOT, 'scripts/lib/licences.mjs');

it('pins every action by its digest, with the version beside it', () => {
  const uses = lines.filter(({ text }) => /^(- )?uses:/.test(text));
  expect(uses.length).toBeGreaterThan(0);
  const pinned = /^(- )?uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
  expect(uses.filter(({ text }) => !pinned.test(text))).toEqual([]);
});

it('gives workflows the right to read, and one job more for its provenance', () => {
  for (const file of workflows) expect(read(file)).toMatch(/^permissions:\n {2}contents: read\n[^ ]/m);
  const rights = lines.filter(({ text }) => /^[a-z-]+: (write|write-all|admin)$/.test(text));
  expect(rights.map(({ at, text }) => `${at.split(':')[0]}: ${text}`)).toEqual([
    '.github/workflows/release.yml: id-token: write',
  ]);
  expect(lines.filter(({ text }) => /pull_request_target|permissions: \w/.test(text))).toEqual([]);
});

it('runs nothing in a workflow that a title or a branch could have written', () => {
  expect(lines.filter(({ text }) => /\brun:.*\$\{\{/.test(text))).toEqual([]);
  const checkouts = lines.filter(({ text }) => text.includes('actions/checkout@'));
  expect(lines.filter(({ text }) => text === 'persist-credentials: false')).toHaveLength(checkouts.length);
});

it('publishes with provenance, for everybody, and nothing that runs on installation', () => {
  for (const { manifest } of publicPackages()) {
    const { publishConfig, scripts = {} } = manifest;
    expect([manifest.name, publishConfig]).toEqual([manifest.name, { access: 'public', provenance: true }]);
    const hooks = Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name));
    expect([manifest.name, hooks]).toEqual([manifest.name, []]);
  }
});

it('installs what the lockfile says, wherever it installs', () => {
  const installs = ['scripts/lib/install.mjs', '.ci/run', ...workflows].flatMap((file) =>
    read(file)
      .split('\n')
      .filter((line) => /['" ](install|ci|add)['", ]/.test(line) && /npm|npx|--dir/.test(line)),
  );
  expect(installs.length).toBeGreaterThan(0);
  expect(installs.filter((line) => !line.includes('--frozen-lockfile'))).toEqual([]);
});

it('lets no package run a script on installation but those that are written down', () => {
  const workspace = read('pnpm-workspace.yaml');
  expect(/^onlyBuiltDependencies:\n((?: {2}- .+\n)+)/m.exec(workspace)?.[1]).toBe('  - esbuild\n');
  expect(workspace).not.toMatch(/dangerouslyAllowAllBuilds|neverBuiltDependencies/);
});

it('has in docs/licences.md the licences of all that is installed, and none that is not allowed', () => {
  expect(run(process.execPath, ['scripts/licences.mjs', '--check'], ROOT)).toEqual({ code: 0, output: '' });
});

it('refuses licences that are on no list, and in applications those for developers', () => {
  const listed = [
    { name: 'a', licence: 'GPL-3.0', forApplications: false },
    { name: 'b', licence: '(GPL-2.0 OR MIT)', forApplications: true },
    { name: 'c', licence: 'MIT AND GPL-2.0', forApplications: false },
    { name: 'd', licence: 'CC-BY-4.0', forApplications: true },
    { name: 'e', licence: 'CC-BY-4.0', forApplications: false },
  ];
  const program = `
    import { problemOf } from ${JSON.stringify(LIBRARY)};
    const refused = ${JSON.stringify(listed)}.filter((each) => problemOf(each) !== undefined);
    process.stdout.write(refused.map(({ name }) => name).join());`;
  const { output } = run(process.execPath, ['--input-type=module', '--eval', program], ROOT);
  expect(output).toBe('a,c,d');
});

import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { undocumentedExports } from '../src/doc-comments.js';
import { publicPackages } from '../src/repository.js';

const entries = publicPackages().flatMap(({ dir, manifest }) =>
  ['index.ts', 'transport-entry.ts']
    .map((file) => ({ name: `${manifest.name} ${file}`, entry: join(dir, 'src', file) }))
    .filter(({ entry }) => existsSync(entry)),
);

it.each(entries)('describes every exported symbol of $name in a doc comment', ({ entry }) => {
  expect(undocumentedExports(entry)).toEqual([]);
});

it('names an exported symbol that has no doc comment', () => {
  const entry = join(mkdtempSync(join(tmpdir(), 'omnibus-gates-')), 'index.ts');
  writeFileSync(entry, '/** Said. */\nexport const said = 1;\n// Not said.\nexport const unsaid = 2;\n');
  expect(undocumentedExports(entry)).toEqual([`unsaid (${entry})`]);
});

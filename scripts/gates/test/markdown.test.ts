import { join } from 'node:path';
import { run } from '../src/commands.js';
import { ROOT, read, repositoryFiles } from '../src/repository.js';
import { compileProblems, snippetsOf, transpile, writeSnippets } from '../src/snippets.js';

const GATES = join(ROOT, 'scripts/gates');
// Inside this package, so that the packages it depends on are found as a user's would be.
const FOLDER = join(GATES, 'test-results', 'snippets');

const documents = repositoryFiles().filter((file) =>
  /^(README|DESIGN|CONTRIBUTING)\.md$|^docs\/.*\.md$|^packages\/[^/]+\/README\.md$/.test(file),
);
const written = writeSnippets(
  documents.flatMap((document) => snippetsOf(document, read(document))),
  FOLDER,
);

it('compiles every TypeScript block of the documents against the built packages', () => {
  expect(compileProblems(written)).toEqual([]);
});

it('has an example in the README that runs', () => {
  expect(written.filter(({ document, runnable }) => document === 'README.md' && runnable)).not.toEqual([]);
});

const runnable = written.filter((snippet) => snippet.runnable);
for (const snippet of runnable) {
  it(`runs the example at ${snippet.document}:${snippet.line}`, () => {
    expect(run(process.execPath, [transpile(snippet)], GATES)).toMatchObject({ code: 0 });
  });
}

it('names the document and the line of a block that does not compile', () => {
  const markdown = 'Text.\n\n```ts\nconst fine = 1;\nconst wrong: string = fine;\n```\n';
  const [broken] = writeSnippets(snippetsOf('docs/made-up.md', markdown), `${FOLDER}-broken`);
  expect(broken && compileProblems([broken])).toEqual([
    "docs/made-up.md:5: Type 'number' is not assignable to type 'string'.",
  ]);
});

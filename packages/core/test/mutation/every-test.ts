import { join } from 'node:path';

/** What the configuration says: the files of tests, and in a run for one mutant which tests reach it. */
declare const mutation: { readonly tests: readonly string[]; readonly pattern?: string };

const isAsked = (name: string): boolean =>
  mutation.pattern === undefined || mutation.pattern.replaceAll('\\', '').includes(`(${name} `);

// All in one file of tests: jest loads the sources once for a mutant, and not once for each file.
for (const name of mutation.tests.filter(isAsked)) {
  describe(name, () => {
    jest.requireActual(join(__dirname, '..', `${name}.ts`));
  });
}

import { markdownTable } from './markdown-table.mjs';

const HEAD = `# Mutants

Buses with one deliberate defect each, and which ids of the conformance kit find them: what shows that the kit can fail. Those of the in-memory bus are wrapped around it (\`packages/conformance-tests/src/mutants\`, also run by \`npm test\`); those of the adapters are copies with a line of their source replaced, on real brokers (\`test/mutants.mjs\` of each). This page is written by \`npm run mutants\`.
`;

/**
 * @param {readonly { bus: string, name: string, defect: string, expected: readonly string[], caughtBy: readonly string[] }[]} results
 * @param {readonly string[]} ids all of the suite
 * @returns {string} the page
 */
export function mutantsPage(results, ids) {
  const rows = results.map(({ bus, name, defect, caughtBy }) => [
    bus,
    name,
    defect,
    caughtBy.join(', ') || 'none',
  ]);
  const found = new Set(results.flatMap(({ caughtBy }) => caughtBy));
  const without = ids.filter((id) => !found.has(id));
  return [
    HEAD,
    markdownTable(['bus', 'mutant', 'the bus …', 'found by'], rows),
    '',
    `${found.size} of ${ids.length} ids have found a mutant. Without one so far: ${without.join(', ')}.`,
    '',
  ].join('\n');
}

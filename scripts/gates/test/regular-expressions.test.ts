import { check } from 'recheck';
import { regularExpressions } from '../src/regular-expressions.js';

const expressions = regularExpressions();

it('finds the regular expressions', () => {
  expect(expressions.length).toBeGreaterThan(40);
  const files = expressions.map(({ file }) => file);
  for (const name of ['core/src/w3c.ts', 'bus-kafka/src/errors.ts', 'bus-redis/src/dead-letters.ts'])
    expect(files).toContain(`packages/${name}`);
});

it('has none that takes more than linear time, whatever text it meets', async () => {
  const slow: string[] = [];
  for (const { file, source, flags } of expressions) {
    const { status } = await check(source, flags, { timeout: 60_000 });
    if (status !== 'safe') slow.push(`${file}: /${source}/${flags} is ${status}`);
  }
  expect(slow).toEqual([]);
}, 180_000);

it('knows a slow one when it sees it', async () => {
  expect((await check('^(a|a)*$', '', {})).status).toBe('vulnerable');
});

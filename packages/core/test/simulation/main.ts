import { parseArgs } from 'node:util';

import { playMany } from './campaign.js';

// The long run: npm run test:long -- simulation
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const runs = Number(values.runs);
const startedAtMs = performance.now();
void playMany(Number(values.seed), runs).then(({ counts, finding }) => {
  const seconds = (performance.now() - startedAtMs) / 1000;
  for (const [what, count] of [...counts].sort()) console.log(`${String(count).padStart(10)}  ${what}`);
  console.log(finding ?? `${runs} scenarios in ${seconds.toFixed(0)} s: every guarantee was kept`);
  process.exitCode = finding === undefined ? 0 : 1;
});

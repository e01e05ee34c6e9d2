import { parseArgs } from 'node:util';

import { fuzz } from './campaign.js';

// The long run: npm run test:long -- fuzz
const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const records = Number(values.records);
const startedAtMs = performance.now();
const { events, refused, finding } = fuzz(Number(values.seed), records);
const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
console.log(
  finding ??
    `${records} hostile records in ${seconds} s: ${refused} refused, ${events} read as events, no harm`,
);
process.exitCode = finding === undefined ? 0 : 1;

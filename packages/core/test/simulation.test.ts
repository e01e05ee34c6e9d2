import { MUST_HAPPEN, playMany } from './simulation/campaign.js';

/** `npm run test:long` plays more. */
const RUNS = 20_000;

describe('the engine under simulation', () => {
  it(`keeps its guarantees in ${RUNS} scenarios of faults`, async () => {
    const { counts, finding } = await playMany(1, RUNS);
    if (finding !== undefined) throw new Error(finding);
    for (const what of MUST_HAPPEN) expect([what, counts.get(what) ?? 0]).not.toEqual([what, 0]);
  }, 3_600_000);
});

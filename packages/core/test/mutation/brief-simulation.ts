import { playMany } from '../simulation/campaign.js';

/** As many as a mutant that nothing else finds may cost. */
const RUNS = 50;

it(`keeps its guarantees in ${RUNS} scenarios of faults`, async () => {
  const { finding } = await playMany(1, RUNS);
  expect(finding).toBeUndefined();
});

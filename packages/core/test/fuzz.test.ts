import { fuzz } from './fuzz/campaign.js';

/** `npm run test:long` takes more. */
const RECORDS = 50_000;

describe('hostile records', () => {
  it(`do no harm: ${RECORDS} are read or refused, their bytes kept`, () => {
    const { events, refused, finding } = fuzz(1, RECORDS);
    if (finding !== undefined) throw new Error(finding);
    // Neither are all of them nonsense, nor do most of them pass.
    expect(events).toBeGreaterThan(RECORDS / 20);
    expect(refused).toBeGreaterThan(RECORDS / 5);
  }, 3_600_000);
});

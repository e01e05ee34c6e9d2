import { setImmediate as turn } from 'node:timers/promises';

import { closeEngines, handEngine, NO_JOURNALS, recordOf } from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

it('starts no handler of a partition that is lost a moment after another', async () => {
  const started: string[] = [];
  const { assign } = handEngine({ concurrency: 2, maxInFlight: 2 }, ({ aggregateId }) => {
    started.push(aggregateId);
    return new Promise(() => undefined);
  });
  const lanes = [0, 1, 2].map((partition) => assign(partition).lane);
  for (const lane of lanes) await lane.open(NO_JOURNALS);
  // One runs and one waits behind it: there is a free slot, and no more may be taken in hand.
  lanes[0]?.deliver([recordOf(0, 'of 0'), recordOf(1, 'of 0')]);
  lanes[1]?.deliver([recordOf(0, 'of 1')]);
  lanes[2]?.deliver([recordOf(0, 'of 2')]);
  await until('the first handler', () => started.length === 1);
  // As an adapter does whose connection is gone: one after the other, in one turn.
  lanes[0]?.lost();
  lanes[1]?.lost();
  await until('the one that is left', () => started.length > 1);
  await turn();
  expect(started).toEqual(['of 0', 'of 2']);
});

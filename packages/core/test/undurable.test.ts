import { setImmediate as turn } from 'node:timers/promises';

import { closeEngines, handEngine, NO_JOURNALS, recordsOf } from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

const MAX_IN_FLIGHT = 20;

async function settle(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await turn();
}

describe('what is handled and not yet durable', () => {
  it('never exceeds maxInFlight over all partitions while nothing can be made durable, and goes on afterwards', async () => {
    const { stats, assign } = handEngine({ maxInFlight: MAX_IN_FLIGHT, concurrency: 4 }, () => undefined);
    const partitions = [assign(0), assign(1), assign(2), assign(3)];
    let mend = (): void => undefined;
    const mended = new Promise<void>((resolve) => {
      mend = resolve;
    });
    for (const { port } of partitions) port.flushing = () => mended;
    await Promise.all(partitions.map(({ lane }) => lane.open(NO_JOURNALS)));
    for (const { lane } of partitions) lane.deliver(recordsOf(100));
    await until('as many as may be', () => stats.eventsProcessedSuccess >= MAX_IN_FLIGHT);
    await settle();
    expect(stats.eventsProcessedSuccess).toBe(MAX_IN_FLIGHT);
    mend();
    await until('the rest', () => stats.eventsProcessedSuccess === 400);
  });

  it('is made durable at once when handlers wait for nothing else', async () => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Nearly everything that may be in hand is one key that does not get on.
    const { stats, assign } = handEngine({ maxInFlight: MAX_IN_FLIGHT, concurrency: 4 }, (event) =>
      event.aggregateId === 'stuck' ? stuck : undefined,
    );
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(MAX_IN_FLIGHT - 2, () => 'stuck'));
    lane.deliver(recordsOf(20, (n) => `free-${n}`, MAX_IN_FLIGHT));
    await until('the others', () => port.settledPositions.length === 20);
    release();
    await until('all', () => stats.inFlight === 0);
  });
});

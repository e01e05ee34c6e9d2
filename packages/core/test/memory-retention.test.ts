import { MemoryBroker } from '../src/index.js';
import { busOn, numbered, shutDownAll } from './memory-buses.js';

afterEach(shutDownAll);

const EVENTS = 1_000;
const events = Array.from({ length: EVENTS }, (_, i) => numbered('a', i + 1));

describe('what a memory broker retains', () => {
  it('is bounded, also where no group consumes', async () => {
    const bus = busOn(new MemoryBroker({ partitions: 1, retainedRecords: 100 }));
    await bus.publish(events);
    const report = await bus.replay({ from: 'beginning', handler: () => undefined });
    expect(report).toMatchObject({ events: 100, truncated: true });
  });

  it('is everything that some group has not settled', async () => {
    const bus = busOn(new MemoryBroker({ partitions: 1, retainedRecords: 100 }));
    await bus.ensureGroup();
    await bus.publish(events);
    const report = await bus.replay({ from: 'beginning', handler: () => undefined });
    expect(report).toMatchObject({ events: EVENTS, truncated: false });
  });
});

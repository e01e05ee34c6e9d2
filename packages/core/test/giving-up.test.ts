import { type BusStatus, MemoryBroker, NonRetryableError } from '../src/index.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';
import { makeMetricsSdk, points, shutDownMetrics } from './metrics-sdk.js';

afterEach(shutDownAll);
afterAll(shutDownMetrics);

describe('an event that is given up', () => {
  it('is told with a code that blames the handler, not the broker', async () => {
    const bus = busOn(new MemoryBroker(), { retry: { maxRetries: 0 } });
    const statuses: BusStatus[] = [];
    void (async () => {
      for await (const status of bus.status()) statuses.push(status);
    })();
    const thrown = new TypeError('not a number');
    bus.subscribe('Counted', () => {
      throw thrown;
    });
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('the dead letter', () => statuses.some(({ type }) => type === 'dead-lettered'));
    expect(statuses.find(({ type }) => type === 'dead-lettered')).toMatchObject({
      error: { code: 'HANDLER_FAILED', cause: thrown },
    });
  });

  it('is told with the identity that it arrived with, whatever the handler did to it', async () => {
    const bus = busOn(new MemoryBroker());
    const statuses: BusStatus[] = [];
    void (async () => {
      for await (const status of bus.status()) statuses.push(status);
    })();
    bus.subscribe('Counted', (event) => {
      Object.assign(event, { eventId: 'spoilt', eventType: 'Spoilt', occurredAt: undefined });
      throw new NonRetryableError('no');
    });
    await bus.startConsuming();
    const event = numbered('a', 1);
    await bus.publish(event);
    await until('the dead letter', () => statuses.some(({ type }) => type === 'dead-lettered'));
    expect(statuses.find(({ type }) => type === 'dead-lettered')).toMatchObject({
      eventId: event.eventId,
      eventType: 'Counted',
    });
  });

  it('counts in the metrics under the class of what was thrown', async () => {
    const sdk = makeMetricsSdk();
    const bus = busOn(new MemoryBroker(), {
      retry: { maxRetries: 0 },
      metrics: { meterProvider: sdk.provider },
    });
    bus.subscribe('Counted', () => {
      throw new TypeError('not a number');
    });
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
    const attempts = points((await sdk.collect()).get('messaging.process.duration'));
    expect(attempts.map(([attributes]) => attributes['error.type'])).toEqual(['TypeError']);
  });

  it('is dropped all the same when onDrop throws or rejects, and that is told', async () => {
    const onDrop = [
      (): void => {
        throw new Error('sync');
      },
      async (): Promise<void> => {
        throw new Error('async');
      },
    ];
    for (const callback of onDrop) {
      const bus = busOn(new MemoryBroker(), {
        retry: { maxRetries: 0 },
        deadLetters: { enabled: false, whenDisabled: 'drop', onDrop: callback },
      });
      const told: unknown[] = [];
      void (async () => {
        for await (const status of bus.status()) if (status.type === 'error') told.push(status.error.message);
      })();
      bus.subscribe('Counted', () => {
        throw new Error('no');
      });
      await bus.startConsuming();
      await bus.publish(numbered('a', 1));
      await until('the report', () => told.length > 0);
      expect(told).toEqual([expect.stringContaining('deadLetters.onDrop')]);
      expect(bus.stats).toMatchObject({ eventsDropped: 1, inFlight: 0 });
    }
  });

  it.each([
    ['a name that is no text', { name: 7, handle: fail }],
    ['an empty name', { name: '', handle: fail }],
    ['no prototype', Object.assign(Object.create(null), { handle: fail })],
    ['a function whose name is no text', Object.defineProperty(() => fail(), 'name', { value: 7 })],
  ])('is dead-lettered when its handler has %s', async (_name, handler) => {
    const bus = busOn(new MemoryBroker());
    bus.subscribe('Counted', handler as never);
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
    for await (const { handler: name } of bus.deadLetters.list()) expect(name).toBe('anonymous');
  });
});

function fail(): never {
  throw new NonRetryableError('no');
}

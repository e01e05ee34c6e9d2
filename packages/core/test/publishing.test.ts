import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

import { defineEvent } from '../src/define-event.js';
import {
  BusError,
  type BusStatus,
  type DomainEvent,
  type EventBus,
  isBusError,
  MemoryBroker,
  PublishError,
} from '../src/index.js';
import { MemoryTransport } from '../src/memory/memory-transport.js';
import { resolveEventBusOptions } from '../src/options.js';
import type { StandardSchema } from '../src/standard-schema.js';
import type { OutboundRecord, SendResult } from '../src/transport.js';
import { TransportEventBus } from '../src/transport-event-bus.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';
import { makeMetricsSdk, points, shutDownMetrics } from './metrics-sdk.js';

afterEach(shutDownAll);
afterAll(shutDownMetrics);

function asyncSchema(validate: (data: { n: number }) => Promise<unknown>): StandardSchema {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => validate(value as { n: number }).then((valid) => ({ value: valid })),
    },
  };
}

function statusesOf(bus: EventBus): BusStatus[] {
  const statuses: BusStatus[] = [];
  void (async () => {
    for await (const status of bus.status()) statuses.push(status);
  })();
  return statuses;
}

async function publishedOn(broker: MemoryBroker): Promise<DomainEvent[]> {
  const events: DomainEvent[] = [];
  await busOn(broker).replay({ from: 'beginning', handler: (event) => void events.push(event) });
  return events;
}

describe('bad input', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'event'],
    ['a list with a hole', [numbered('a', 1), undefined]],
    [
      'an event whose type throws',
      Object.defineProperty({}, 'eventType', {
        get: () => {
          throw new Error('x');
        },
      }),
    ],
  ])('%s is refused with a BusError, nothing is sent, and the bus goes on', async (_name, input) => {
    const broker = new MemoryBroker();
    const sdk = makeMetricsSdk();
    const bus = busOn(broker, { metrics: { meterProvider: sdk.provider } });
    await expect(bus.publish(input as never)).rejects.toMatchObject({ code: 'SERIALIZATION' });
    await bus.publish(numbered('a', 2));
    expect((await publishedOn(broker)).map(({ aggregateVersion }) => aggregateVersion)).toEqual([2]);
  });

  it('is counted and told when it was published in the background', async () => {
    const bus = busOn(new MemoryBroker());
    const statuses = statusesOf(bus);
    const bad = { ...numbered('a', 1), data: { n: 1n } };
    await bus.publish([bad, numbered('a', 2)], { background: true });
    await until('the report', () => statuses.some(({ type }) => type === 'error'));
    expect(bus.stats).toMatchObject({ publishErrors: 2, eventsPublished: 0, pendingPublishes: 0 });
  });

  it('lists what the schemas and what the codec refused, in order', async () => {
    const schema = asyncSchema(async (data) => {
      if (data.n === 2) throw new Error('two');
      return data;
    });
    const bus = busOn(new MemoryBroker(), { events: [defineEvent('Counted', { schema })] });
    const events = [
      numbered('a', 1),
      numbered('a', 2),
      { ...numbered('a', 3), eventType: 'Other', data: { n: 3n } },
    ];
    const error: unknown = await bus.publish(events).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PublishError);
    expect((error as PublishError).failures.map((failure) => [failure.index, failure.error.code])).toEqual([
      [1, 'VALIDATION'],
      [2, 'SERIALIZATION'],
    ]);
    expect(bus.stats.pendingPublishes).toBe(0);
  });

  it.each([
    [{ backgroud: true }, 'background'],
    [{ background: 'yes' }, 'background'],
    [{ headers: 'x' }, 'headers'],
  ])('%p as options is refused with the name that was meant', async (options, name) => {
    const bus = busOn(new MemoryBroker());
    await expect(bus.publish(numbered('a', 1), options as never)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(name),
    });
    expect(bus.stats.eventsPublished).toBe(0);
  });
});

describe('what an asynchronous schema holds up', () => {
  it('is flushed by shutdown like everything else', async () => {
    const broker = new MemoryBroker();
    const schema = asyncSchema(async (data) => {
      await sleep(20);
      return data;
    });
    const bus = busOn(broker, { events: [defineEvent('Counted', { schema })] });
    const published = Promise.all([1, 2].map((n) => bus.publish(numbered('a', n), { background: n === 2 })));
    const report = await bus.shutdown({ timeoutMs: 5_000 });
    await published;
    expect(report).toMatchObject({ clean: true, unflushedPublishes: 0 });
    expect((await publishedOn(broker)).map(({ aggregateVersion }) => aggregateVersion)).toEqual([1, 2]);
  });

  it('is rejected in time when the schema never answers, and what waits behind it goes out', async () => {
    const schema = asyncSchema((data) =>
      data.n === 1 ? new Promise(() => undefined) : Promise.resolve(data),
    );
    const bus = busOn(new MemoryBroker(), {
      events: [defineEvent('Counted', { schema })],
      publish: { timeoutMs: 30 },
    });
    const stuck = bus.publish(numbered('a', 1));
    const behind = bus.publish(numbered('b', 2));
    await expect(stuck).rejects.toMatchObject({ code: 'TIMEOUT', failures: [{ index: 0 }] });
    await behind;
  });

  it('is rejected by a shutdown that cannot wait', async () => {
    const schema = asyncSchema(() => new Promise(() => undefined));
    const bus = busOn(new MemoryBroker(), { events: [defineEvent('Counted', { schema })] });
    const stuck = bus.publish(numbered('a', 1)).catch((error: unknown) => error);
    const behind = bus.publish({ ...numbered('b', 2), eventType: 'Other' }).catch((error: unknown) => error);
    const report = await bus.shutdown({ timeoutMs: 20 });
    expect(report.clean).toBe(false);
    expect(await Promise.all([stuck, behind])).toEqual([
      expect.objectContaining({ code: 'BUS_CLOSED' }),
      expect.objectContaining({ code: 'BUS_CLOSED' }),
    ]);
  });

  it('does not see what the publisher changes meanwhile', async () => {
    const broker = new MemoryBroker();
    const schema = asyncSchema(async ({ n }) => {
      await sleep(10);
      return { n };
    });
    const bus = busOn(broker, { events: [defineEvent('Counted', { schema })] });
    const first = { ...numbered('a', 1) };
    const behind = { ...numbered('a', 2), eventType: 'Other', data: { n: 2 } };
    const published = Promise.all([bus.publish(first), bus.publish(behind)]);
    Object.assign(first, { aggregateVersion: 99, aggregateId: 'z' });
    behind.data.n = 99;
    behind.aggregateId = 'z';
    await published;
    const seen = await publishedOn(broker);
    expect(
      seen.map(({ aggregateId, aggregateVersion, data }) => [aggregateId, aggregateVersion, data]),
    ).toEqual([
      ['a', 1, { n: 1 }],
      ['a', 2, { n: 2 }],
    ]);
  });

  it('connects when a first attempt to connect failed while it was held up', async () => {
    const broker = new MemoryBroker();
    broker.stop();
    const schema = asyncSchema(async (data) => {
      await sleep(20);
      return data;
    });
    const bus = busOn(broker, { events: [defineEvent('Counted', { schema })] });
    const published = bus.publish(numbered('a', 1));
    await sleep(10);
    expect(bus.state).toBe('idle');
    await broker.start();
    await published;
  });
});

describe('shutdown', () => {
  it('leaves no publish pending whose send is under way', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker);
    await bus.connect();
    broker.pause();
    const published = bus.publish([numbered('a', 1), numbered('a', 2)]).catch((error: unknown) => error);
    await turn();
    const report = await bus.shutdown({ timeoutMs: 20 });
    expect(report).toMatchObject({ clean: false, unflushedPublishes: 2 });
    const error = await published;
    expect(isBusError(error) && error.code).toBe('BUS_CLOSED');
    expect(bus.stats).toMatchObject({ pendingPublishes: 0, publishErrors: 2 });
    broker.resume();
    await turn();
    expect(bus.stats).toMatchObject({ pendingPublishes: 0, publishErrors: 2 });
  }, 15_000);

  it('flushes what is published in the background before it', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker);
    for (let n = 1; n <= 50; n += 1) await bus.publish(numbered('a', n), { background: true });
    expect(await bus.shutdown()).toMatchObject({ clean: true });
    expect((await publishedOn(broker)).length).toBe(50);
  });
});

/** Refuses the event of this id, and accepts the others. */
class RefusingOne extends MemoryTransport {
  refused = '';

  override async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    const failures = records.flatMap(({ event }, index) =>
      event.eventId === this.refused ? [{ index, error: new BusError('AUTHORIZATION', 'not this one') }] : [],
    );
    await super.send(records.filter(({ event }) => event.eventId !== this.refused));
    return { failures };
  }
}

describe('the largest record of the transport', () => {
  it('is kept to before anything is sent, also when maxEventBytes is larger', async () => {
    class Narrow extends MemoryTransport {
      override readonly limits = {
        maxRecordBytes: 400,
        maxRecordsPerPartition: 10,
        maxBytesPerPartition: 1_000,
      };
    }
    const broker = new MemoryBroker();
    const bus = new TransportEventBus({
      transport: new Narrow(broker, 'events'),
      options: resolveEventBusOptions({}),
    });
    const large = { ...numbered('a', 2), data: { text: 'x'.repeat(400) } };
    await expect(bus.publish([numbered('a', 1), large])).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      failures: [expect.objectContaining({ index: 1 })],
    });
    expect(await publishedOn(broker)).toEqual([]);
    await bus.publish(numbered('a', 3));
    await bus.shutdown();
  });
});

describe('a publish that the broker refuses in part', () => {
  it('rejects with the events refused, and counts each event under its own outcome', async () => {
    const sdk = makeMetricsSdk();
    const transport = new RefusingOne(new MemoryBroker(), 'events');
    const bus = new TransportEventBus({
      transport,
      options: resolveEventBusOptions({ metrics: { meterProvider: sdk.provider } }),
    });
    const events = [1, 2, 3].map((n) => numbered('a', n));
    transport.refused = events[1]?.eventId ?? '';
    await expect(bus.publish(events)).rejects.toMatchObject({
      code: 'AUTHORIZATION',
      failures: [expect.objectContaining({ index: 1, eventId: transport.refused })],
    });
    expect(bus.stats).toMatchObject({ eventsPublished: 2, publishErrors: 1 });
    const sent = points((await sdk.collect()).get('messaging.client.sent.messages'));
    expect(sent.map(([attributes, count]) => [attributes['error.type'], count])).toEqual([
      ['AUTHORIZATION', 1],
      [undefined, 2],
    ]);
    await bus.shutdown();
  });
});

import { consumeSpec, RecordingSink } from '@omnibus/conformance-tests';
import { Kafka } from 'kafkajs';
import { KafkaTransport } from '../src/transport.js';
import { openTransport, publish, records, sharedBrokers, Told, uniqueName, until } from './support/kafka.js';

type Opened = Awaited<ReturnType<typeof openTransport>>;

const opened: KafkaTransport[] = [];

/** One more process of the same group. */
async function process(name: string, first?: Opened): Promise<Opened & { readonly sink: RecordingSink }> {
  const sink = new RecordingSink(name);
  if (!first) {
    const result = await openTransport({ partitions: 6 });
    opened.push(result.transport);
    return { ...result, sink };
  }
  const transport = new KafkaTransport(first.settings);
  const told = new Told();
  await transport.open(told);
  opened.push(transport);
  return { transport, told, settings: first.settings, sink };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

describe('a group of several processes', () => {
  test('a join takes only half of the partitions, and the rest is never taken from its owner', async () => {
    const a = await process('a');
    const b = await process('b', a);
    const group = uniqueName();
    await a.transport.consume(consumeSpec(group), a.sink);
    expect(a.sink.owned).toEqual([0, 1, 2, 3, 4, 5]);
    await b.transport.consume(consumeSpec(group), b.sink);
    await until('half and half', () => a.sink.owned.length === 3 && b.sink.owned.length === 3);
    expect([...a.sink.owned, ...b.sink.owned].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    // One ownership each, from the beginning to now.
    for (const partition of a.sink.owned)
      expect(a.sink.assignments.filter((each) => each.partition === partition)).toHaveLength(1);
    expect(a.sink.assignments.filter(({ isHeld }) => isHeld)).toHaveLength(3);
    expect(a.told.ownerships.at(-1)).toEqual(a.sink.owned);
    expect(b.told.ownerships.at(-1)).toEqual(b.sink.owned);
  });

  test('joins and leaves under load lose nothing, repeat nothing and keep the order', async () => {
    const a = await process('a');
    const group = uniqueName();
    const sinks = [a.sink];
    await a.transport.consume(consumeSpec(group), a.sink);
    let sent = 0;
    let publishing = true;
    const publisher = (async () => {
      for (; publishing; sent += 5) {
        await publish(
          a.transport,
          [0, 1, 2, 3, 4, 5].flatMap((partition) => records(partition, 5, sent)),
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const b = await process('b', a);
    sinks.push(b.sink);
    const leaving = await b.transport.consume(consumeSpec(group), b.sink);
    const c = await process('c', a);
    sinks.push(c.sink);
    await c.transport.consume(consumeSpec(group), c.sink);
    await until('all three at work', () => sinks.every(({ owned }) => owned.length === 2));
    await until('b to get something', () => b.sink.delivered.length > 20);
    await leaving.stop(1_000);
    await until('the other two at work', () => a.sink.owned.length === 3 && c.sink.owned.length === 3);
    publishing = false;
    await publisher;
    const total = (): number => sinks.reduce((sum, { delivered }) => sum + delivered.length, 0);
    await until('everything', () => total() >= sent * 6);
    expect(total()).toBe(sent * 6);
    for (const partition of [0, 1, 2, 3, 4, 5]) {
      const expected = new Set(Array.from({ length: sent }, (_, i) => `${partition}/${i}`));
      for (const sink of sinks) {
        const numbers = sink.values(partition).map((value) => Number(value.split('/')[1]));
        expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
        for (const value of sink.values(partition)) expect(expected.delete(value)).toBe(true);
      }
      expect([...expected]).toEqual([]);
    }
    expect([a, b, c].flatMap(({ told }) => told.errors)).toEqual([]);
  });

  test('partitions that are added while it runs are consumed, also when something else saw them first', async () => {
    const a = await process('a');
    await a.transport.consume(consumeSpec(uniqueName()), a.sink);
    const admin = new Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();
    await admin.connect();
    const topic = `${a.settings.topicPrefix}.stream`;
    await admin.createPartitions({ topicPartitions: [{ topic, count: 8 }] });
    await admin.disconnect();
    await until('the bus to see them', async () => {
      await a.transport.ping(5_000);
      return a.transport.partitions === 8;
    });
    await publish(a.transport, records(7, 3));
    await until('what is in the new partition', () => a.sink.values(7).length === 3, 45_000);
  }, 60_000);

  test('buses of two topics may use one group name: each gets the events of its own', async () => {
    const a = await process('a');
    const b = await process('b');
    const group = uniqueName();
    await a.transport.consume(consumeSpec(group), a.sink);
    await b.transport.consume(consumeSpec(group), b.sink);
    await until('each to own its topic', () => a.sink.owned.length === 6 && b.sink.owned.length === 6);
    await publish(a.transport, records(0, 3));
    await publish(b.transport, records(1, 2));
    await until('the events', () => a.sink.delivered.length === 3 && b.sink.delivered.length === 2);
    expect([a.sink.values(), b.sink.values()]).toEqual([
      ['0/0', '0/1', '0/2'],
      ['1/0', '1/1'],
    ]);
  });

  test('a group that consumes another topic starts at the latest in this one, where that is wanted', async () => {
    const [a, b] = [await process('a'), await process('b')];
    const group = uniqueName();
    await a.transport.consume(consumeSpec(group), a.sink);
    await publish(b.transport, records(0, 3));
    await b.transport.consume(consumeSpec(group, { startFrom: 'latest' }), b.sink);
    await publish(b.transport, records(0, 3, 3));
    await until('what was published after the start', () => b.sink.values().includes('0/5'));
    expect(b.sink.values()).toEqual(['0/3', '0/4', '0/5']);
  });

  test('a partition that drains slowly goes over after its time, and holds up no other', async () => {
    const a = await process('a');
    const b = await process('b', a);
    const group = uniqueName();
    let draining = 0;
    a.sink.drain = async (_partition, timeoutMs) => {
      draining += 1;
      await new Promise((resolve) => setTimeout(resolve, timeoutMs));
    };
    await a.transport.consume(consumeSpec(group, { handOverTimeoutMs: 1_500 }), a.sink);
    await b.transport.consume(consumeSpec(group), b.sink);
    await until('the hand-over to begin', () => draining === 3);
    // What stays is fetched and handled while the others drain.
    const staying = a.sink.assignments.filter(({ isHeld }) => !isHeld).map(({ partition }) => partition);
    await publish(
      a.transport,
      staying.flatMap((partition) => records(partition, 3)),
    );
    await until('what stays to go on', () =>
      staying.every((partition) => a.sink.values(partition).length === 3),
    );
    expect(b.sink.owned).toEqual([]);
    await until('the hand-over to end', () => b.sink.owned.length === 3);
    expect(a.told.errors).toEqual([]);
  });

  test('a process that is gone without a word loses its partitions to the others after its session', async () => {
    const a = await process('a');
    const group = uniqueName();
    await a.transport.consume(consumeSpec(group), a.sink);
    const b = await process('b', a);
    await b.transport.consume(consumeSpec(group), b.sink);
    await until('half and half', () => a.sink.owned.length === 3 && b.sink.owned.length === 3);
    // As if its machine were gone: no leave, no heartbeat, no commit.
    const lost = b.sink.owned;
    vanish(b.transport);
    await publish(
      a.transport,
      lost.flatMap((partition) => records(partition, 2)),
    );
    await until('a to own everything', () => a.sink.owned.length === 6, 15_000);
    await until('the records of the lost partitions', () =>
      lost.every((partition) => a.sink.values(partition).length === 2),
    );
    // The take-over sees that the former owner did not leave in good order.
    for (const partition of lost) expect(a.sink.current(partition).journals?.get(partition)).toBe('open:b');
  });
});

/** Stops a consumer's timers and cuts its connections without letting it say anything. */
function vanish(transport: KafkaTransport): void {
  const { consumers } = transport as unknown as {
    readonly consumers: Set<
      Record<string, { close?(): unknown; stop?(): void; abort?(reason: string): void }>
    >;
  };
  for (const consumer of consumers) {
    consumer.membership?.close?.();
    consumer.fetcher?.close?.();
    consumer.commits?.close?.();
    consumer.client?.abort?.('vanished');
  }
}

import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { type RunningRedisCluster, startRedisCluster } from '@omnibus/test-brokers';
import { Opener, until } from './support/redis.js';

jest.setTimeout(120_000);

const opener = new Opener();
let redis: RunningRedisCluster;

beforeAll(async () => {
  redis = await startRedisCluster({ durable: true });
});
afterAll(() => redis.stop());
afterEach(() => opener.close());

const PARTITIONS = [0, 1, 2, 3, 4, 5];
const open = (): ReturnType<Opener['open']> =>
  opener.open({
    partitions: PARTITIONS.length,
    cluster: { nodes: redis.addresses.map(({ host, port }) => `${host}:${port}`) },
  });

describe('a Cluster', () => {
  test('partitions lie on several nodes; publishing, consuming, lag, history and dead letters go on all of them', async () => {
    const { transport, settings } = await open();
    const group = uniqueName();
    const sink = new RecordingSink('sink', false);
    const consumption = await transport.consume(consumeSpec(group), sink);
    for (const partition of PARTITIONS) await sendAll(transport, records(partition, 20));
    await until('all records', () => sink.delivered.length >= 20 * PARTITIONS.length);
    for (const partition of PARTITIONS) {
      expect(sink.values(partition)).toEqual(
        records(partition, 20).map(({ value }) => Buffer.from(value).toString()),
      );
      const { delivered, port } = sink.current(partition);
      await port.deadLetter(delivered[0] as never, records(partition, 1)[0] as never);
      sink.current(partition).settle(19);
      await port.flush();
    }
    expect((await transport.lag(group)).map(({ lag }) => lag)).toEqual(PARTITIONS.map(() => 1));
    const letters: string[] = [];
    for await (const page of transport.deadLetters.read({ group, after: undefined, pageSize: 4 }))
      letters.push(...page.map(({ record }) => String(record.value)));
    expect(letters.sort()).toEqual(PARTITIONS.map((partition) => `${partition}/0`));
    const history = await transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    let read = 0;
    for await (const { records: batch } of history.batches) read += batch.length;
    expect(read).toBe(20 * PARTITIONS.length);
    await consumption.stop(1_000);
    expect(settings.partitions).toBe(PARTITIONS.length);
  });

  test('two members share, and a master that is killed costs neither events nor order', async () => {
    const first = await open();
    const second = await opener.sibling(first);
    const group = uniqueName();
    const sinks = [new RecordingSink('a'), new RecordingSink('b')] as const;
    await first.transport.consume(consumeSpec(group), sinks[0]);
    await second.transport.consume(consumeSpec(group), sinks[1]);
    await until('three each', () => sinks.every(({ owned }) => owned.length === 3));
    for (const partition of PARTITIONS) await sendAll(first.transport, records(partition, 10));
    const received = (): Set<string> => new Set(sinks.flatMap((sink) => sink.values()));
    await until('the first records', () => received().size === 10 * PARTITIONS.length);
    await redis.node(0).kill();
    for (const partition of PARTITIONS) await sendAll(first.transport, records(partition, 10, 10));
    await until('the records behind the loss', () => received().size === 20 * PARTITIONS.length, 60_000);
    for (const partition of PARTITIONS) {
      for (const sink of sinks) {
        const firsts = [...new Set(sink.values(partition))].map((value) => Number(value.split('/')[1]));
        expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
      }
    }
    await redis.node(0).start();
    await redis.settled();
  });
});

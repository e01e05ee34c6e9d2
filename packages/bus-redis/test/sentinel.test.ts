import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { type RedisNode, type RunningRedisSentinel, startRedisSentinel } from '@omnibus/test-brokers';
import { killBehindBackOf } from './support/fail-over.js';
import { Opener, until } from './support/redis.js';

jest.setTimeout(120_000);

const opener = new Opener();
let redis: RunningRedisSentinel;

beforeAll(async () => {
  redis = await startRedisSentinel({ durable: true });
});
afterAll(() => redis.stop());
afterEach(() => opener.close());

test('a master that is lost: what was confirmed with a replica is there, in order, and work goes on', async () => {
  const { transport, settings } = await opener.open({
    partitions: 2,
    sentinel: {
      name: redis.masterName,
      nodes: redis.sentinelAddresses.map(({ host, port }) => `${host}:${port}`),
    },
    durability: { replicas: 1 },
  });
  const sink = new RecordingSink();
  await transport.consume(consumeSpec(uniqueName()), sink);
  for (const partition of [0, 1]) await sendAll(transport, records(partition, 50));
  await until('the first records', () => new Set(sink.values()).size === 100);
  const master = await redis.master();
  const replica = redis.nodes.find((node) => node !== master) as RedisNode;
  const sending: Promise<void>[] = [];
  await killBehindBackOf(replica, master, `${settings.streamPrefix}:stream`, () => {
    for (const partition of [0, 1]) sending.push(sendAll(transport, records(partition, 50, 50)));
  });
  // The only replica is the master now: until the old one is back nothing has a second copy.
  await until('the replica to be the master', async () => (await redis.master()) !== master, 60_000);
  await master.start();
  await Promise.all(sending);
  await until('the records behind the loss', () => new Set(sink.values()).size === 200, 60_000);
  for (const partition of [0, 1]) {
    const seen = [...new Set(sink.values(partition))];
    expect(seen).toEqual(records(partition, 100).map(({ value }) => Buffer.from(value).toString()));
  }
  const history = await transport.history.open({
    from: { kind: 'beginning' },
    until: { kind: 'now' },
    signal: undefined,
  });
  const stored = new Set<string>();
  for await (const { records: batch } of history.batches)
    for (const { value } of batch) stored.add(String(value));
  expect(stored.size).toBe(200);
});

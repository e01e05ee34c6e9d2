import { consumeSpec, RecordingSink, bodyText as text } from '@omnibus/conformance-tests';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import type { KafkaTransport } from '../src/transport.js';
import { openTransport, publish, records, uniqueName, until } from './support/kafka.js';

let kafka: RunningKafka;
const opened: KafkaTransport[] = [];

beforeAll(async () => {
  kafka = await startKafka({ nodes: 3 });
}, 90_000);
afterAll(() => kafka?.stop());
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

const PARTITIONS = [0, 1, 2, 3, 4, 5];

describe('a cluster of three brokers', () => {
  test('loses one after the other, and the bus loses, repeats in the log and reorders nothing', async () => {
    const { transport, told } = await openTransport({
      brokers: kafka.brokers,
      partitions: PARTITIONS.length,
    });
    opened.push(transport);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      await publish(
        transport,
        PARTITIONS.flatMap((partition) => records(partition, count, sent)),
      );
      sent += count;
    };
    await send(5);
    for (const node of [0, 1, 2]) {
      await kafka.node(node).kill();
      for (let i = 0; i < 5; i += 1) await send(3);
      await until(
        `everything without broker ${node + 1}`,
        () => PARTITIONS.every((partition) => new Set(sink.values(partition)).size === sent),
        30_000,
      );
      await kafka.node(node).start();
      await send(3);
    }
    await until('everything', () =>
      PARTITIONS.every((partition) => new Set(sink.values(partition)).size === sent),
    );
    const expected = (partition: number): string[] =>
      Array.from({ length: sent }, (_, i) => `${partition}/${i}`);
    for (const partition of PARTITIONS)
      expect([...new Set(sink.values(partition))]).toEqual(expected(partition));
    const stored = new Map<number, string[]>(PARTITIONS.map((partition) => [partition, []]));
    const { batches } = await transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    for await (const { partition, records: batch } of batches)
      stored.get(partition)?.push(...batch.map(text));
    for (const partition of PARTITIONS) expect(stored.get(partition)).toEqual(expected(partition));
    await until('it to be connected', () => told.disconnections.length === told.reconnections);
  }, 150_000);

  test('partitions that nobody leads hold up neither the start of a group nor the others', async () => {
    const options = {
      brokers: kafka.brokers,
      partitions: PARTITIONS.length,
      replicationFactor: 1,
      topicPrefix: uniqueName('topic'),
    };
    const group = uniqueName();
    const before = await openTransport(options);
    opened.push(before.transport);
    await before.transport.ensureGroup(consumeSpec(group).group);
    await kafka.node(0).kill();
    try {
      const stored = await storedWhereLed(before.transport);
      expect(stored.length).toBeGreaterThan(0);
      expect(stored.length).toBeLessThan(PARTITIONS.length);
      const { transport } = await openTransport(options);
      opened.push(transport);
      const sink = new RecordingSink();
      await transport.consume(consumeSpec(group), sink);
      await until('what could be stored', () =>
        stored.every((partition) => sink.values(partition).includes(`${partition}/0`)),
      );
      expect(sink.owned).toEqual(PARTITIONS);
    } finally {
      await kafka.node(0).start();
    }
  }, 120_000);
});

/** Publishes one record to every partition; gives those that could take it, when it is clear that the others cannot. */
async function storedWhereLed(transport: KafkaTransport): Promise<number[]> {
  const all = PARTITIONS.flatMap((partition) => records(partition, 1));
  let left = all;
  await until('only partitions without a leader to be left', async () => {
    const { failures } = await transport.send(left);
    left = failures.map(({ index }) => left[index] as (typeof all)[number]);
    const reasons = failures.map(({ error }) => (error.cause as { type?: string } | undefined)?.type);
    return reasons.every((type) => type === 'LEADER_NOT_AVAILABLE');
  });
  const unsent = new Set(left.map(({ partition }) => partition));
  return PARTITIONS.filter((partition) => !unsent.has(partition));
}

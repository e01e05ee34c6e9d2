import { consumeSpec, RecordingSink, bodyText as text } from '@omnibus/conformance-tests';
import type { OutboundRecord, StoredDeadLetter } from '@omnibus/core/transport';
import kafkajs from 'kafkajs';
import { KafkaTransport } from '../src/transport.js';
import { openTransport, publish, record, sharedBrokers, Told, uniqueName, until } from './support/kafka.js';

type Opened = Awaited<ReturnType<typeof openTransport>>;

const opened: KafkaTransport[] = [];
const admin = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

/** A transport with `count` dead letters, written as a consumer writes them. */
async function withLetters(
  count: number,
): Promise<Opened & { readonly letters: () => Promise<StoredDeadLetter[]> }> {
  const result = await openTransport({ partitions: 2 });
  opened.push(result.transport);
  const sink = new RecordingSink();
  const consumption = await result.transport.consume(consumeSpec(uniqueName()), sink);
  const [source] = [
    { key: 'k', value: Buffer.from(''), headers: {}, position: '0', timestampMs: 0, redelivered: false },
  ];
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      sink.current(i % 2).port.deadLetter(source, record(i % 2, `letter ${i}`)),
    ),
  );
  await consumption.stop(1_000);
  return { ...result, letters: () => list(result.transport) };
}

async function list(transport: KafkaTransport, after?: string, pageSize = 100): Promise<StoredDeadLetter[]> {
  const found: StoredDeadLetter[] = [];
  for await (const page of transport.deadLetters.read({ group: undefined, after, pageSize })) {
    expect(page.length).toBeLessThanOrEqual(pageSize);
    found.push(...page);
  }
  return found;
}

function values(letters: readonly StoredDeadLetter[]): string[] {
  return letters.map(({ record: stored }) => text(stored));
}

function again(letter: StoredDeadLetter): OutboundRecord {
  return record(1, `again ${text(letter.record)}`);
}

describe('dead letters', () => {
  test('are listed oldest first, in pages, and stay', async () => {
    const { transport, letters } = await withLetters(250);
    const expected = Array.from({ length: 250 }, (_, i) => `letter ${i}`);
    expect(values(await letters())).toEqual(expected);
    expect(values(await list(transport, undefined, 7))).toEqual(expected);
    const all = await letters();
    expect(new Set(all.map(({ id }) => id)).size).toBe(250);
    expect(values(await list(transport, all[99]?.id, 50))).toEqual(expected.slice(100));
    expect(await list(transport, all[249]?.id)).toEqual([]);
  });

  test('an empty queue ends at once', async () => {
    const { letters } = await withLetters(0);
    expect(await letters()).toEqual([]);
  });

  test('a replayed one is published once, and no longer listed, also by another process', async () => {
    const { transport, settings, letters } = await withLetters(5);
    const all = await letters();
    const [, , third] = all as [StoredDeadLetter, StoredDeadLetter, StoredDeadLetter];
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName(), { startFrom: 'latest' }), sink);
    expect(await transport.deadLetters.replay(third, 'group', again(third))).toBe(true);
    expect(await transport.deadLetters.replay(third, 'group', again(third))).toBe(false);
    const other = new KafkaTransport(settings);
    opened.push(other);
    await other.open(new Told());
    expect(await other.deadLetters.replay(third, 'group', again(third))).toBe(false);
    expect(values(await list(other))).toEqual(['letter 0', 'letter 1', 'letter 3', 'letter 4']);
    await publish(transport, [record(1, 'end')]);
    await until('the end', () => sink.values().includes('end'));
    expect(sink.values()).toEqual(['again letter 2', 'end']);
  });

  test('the oldest one, whose record and note are deleted at once, is not replayed again', async () => {
    const { transport, letters } = await withLetters(2);
    const [first] = (await letters()) as [StoredDeadLetter];
    expect(await transport.deadLetters.replay(first, 'group', again(first))).toBe(true);
    expect(await transport.deadLetters.replay(first, 'group', again(first))).toBe(false);
    expect(await transport.deadLetters.remove([first], 'group')).toBe(0);
    expect(values(await letters())).toEqual(['letter 1']);
  });

  test('removing says how many were there', async () => {
    const { transport, letters } = await withLetters(6);
    const all = await letters();
    expect(await transport.deadLetters.remove(all.slice(1, 4), 'group')).toBe(3);
    expect(await transport.deadLetters.remove(all.slice(0, 4), 'group')).toBe(1);
    expect(await transport.deadLetters.remove([], 'group')).toBe(0);
    expect(values(await letters())).toEqual(['letter 4', 'letter 5']);
  });

  test('what was removed from the oldest on is deleted from the topic, and nothing else', async () => {
    const { transport, settings, letters } = await withLetters(6);
    const all = await letters();
    await transport.deadLetters.remove([all[3] as StoredDeadLetter], 'group');
    const topic = `${settings.topicPrefix}.stream.dlq`;
    const oldest = async (): Promise<string | undefined> => (await admin.fetchTopicOffsets(topic))[0]?.low;
    expect(await oldest()).toBe('0');
    await transport.deadLetters.remove(all.slice(0, 3), 'group');
    expect(await oldest()).toBe('4');
    expect(values(await letters())).toEqual(['letter 4', 'letter 5']);
    expect(values(await list(transport, all[1]?.id))).toEqual(['letter 4', 'letter 5']);
  });

  test('notes about a topic that was deleted say nothing about the one that was made anew', async () => {
    const { transport, settings, letters } = await withLetters(3);
    await transport.deadLetters.remove((await letters()).slice(1, 2), 'group');
    const topic = `${settings.topicPrefix}.stream.dlq`;
    await admin.deleteTopics({ topics: [topic] });
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    const [source] = [
      { key: 'k', value: Buffer.from(''), headers: {}, position: '0', timestampMs: 0, redelivered: false },
    ];
    for (const name of ['new 0', 'new 1', 'new 2']) {
      await until('the letter to be written', () =>
        sink
          .current(0)
          .port.deadLetter(source, record(0, name))
          .then(
            () => true,
            () => false,
          ),
      );
    }
    const all = await letters();
    expect(values(all)).toEqual(['new 0', 'new 1', 'new 2']);
    expect(await transport.deadLetters.remove(all.slice(0, 1), 'group')).toBe(1);
    expect((await admin.fetchTopicOffsets(topic))[0]?.low).toBe('1');
    const other = new KafkaTransport(settings);
    opened.push(other);
    await other.open(new Told());
    expect(values(await list(other))).toEqual(['new 1', 'new 2']);
  });

  test('notes about them lie in a topic of their own, so that other tools list only dead letters', async () => {
    const { transport, settings, letters } = await withLetters(3);
    await transport.deadLetters.remove((await letters()).slice(1, 2), 'group');
    const topic = `${settings.topicPrefix}.stream.dlq`;
    expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe('3');
    const [{ configEntries } = { configEntries: [] }] = (
      await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: `${topic}.state` }],
      })
    ).resources;
    expect(configEntries.find(({ configName }) => configName === 'cleanup.policy')?.configValue).toBe(
      'compact',
    );
  });

  test('a topic that another client made with several partitions is read oldest first, and paged without gaps', async () => {
    const topicPrefix = uniqueName('topic');
    const topic = `${topicPrefix}.stream.dlq`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
    const producer = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (let i = 0; i < 20; i += 1)
      await producer.send({
        topic,
        messages: [{ partition: (i * 7) % 3, value: `${i}`, timestamp: String(1_700_000_000_000 + i) }],
      });
    await producer.disconnect();
    const { transport } = await openTransport({ topicPrefix });
    opened.push(transport);
    const expected = Array.from({ length: 20 }, (_, i) => `${i}`);
    const all = await list(transport);
    expect(values(all)).toEqual(expected);
    for (const cut of [0, 4, 11, 18, 19])
      expect(values(await list(transport, all[cut]?.id))).toEqual(expected.slice(cut + 1));
    await transport.deadLetters.remove([all[5] as StoredDeadLetter], 'group');
    expect(values(await list(transport, all[5]?.id))).toEqual(expected.slice(6));
  });

  test('one that cannot be written is refused with the reason, so that core tries again', async () => {
    const result = await openTransport({ partitions: 1 });
    opened.push(result.transport);
    const sink = new RecordingSink();
    await result.transport.consume(consumeSpec(uniqueName()), sink);
    const source = {
      key: 'k',
      value: Buffer.from(''),
      headers: {},
      position: '0',
      timestampMs: 0,
      redelivered: false,
    };
    await expect(
      sink.current(0).port.deadLetter(source, record(0, 'x'.repeat(2_000_000))),
    ).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    await expect(sink.current(0).port.deadLetter(source, record(0, 'fits'))).resolves.toBeUndefined();
  });
});

import { bodyText as text } from '@omnibus/conformance-tests';
import type { HistoryQuery } from '@omnibus/core/transport';
import kafkajs from 'kafkajs';
import type { KafkaTransport } from '../src/transport.js';
import { openTransport, publish, record, sharedBrokers, uniqueName } from './support/kafka.js';

const START_MS = 1_700_000_000_000;
let transport: KafkaTransport;
let topic: string;

beforeAll(async () => {
  const opened = await openTransport({ partitions: 2 });
  transport = opened.transport;
  topic = `${opened.settings.topicPrefix}.stream`;
  // Ten in each partition, one a second.
  await publish(
    transport,
    [0, 1].flatMap((partition) =>
      Array.from({ length: 10 }, (_, i) =>
        record(partition, `${partition}/${i}`, { timestampMs: START_MS + i * 1_000 }),
      ),
    ),
  );
});
afterAll(() => transport.close());

async function read(
  query: Partial<HistoryQuery>,
): Promise<{ readonly truncated: boolean; readonly values: Record<number, string[]> }> {
  const range = await transport.history.open({
    from: { kind: 'beginning' },
    until: { kind: 'now' },
    signal: undefined,
    ...query,
  });
  const values: Record<number, string[]> = {};
  for await (const { partition, records } of range.batches)
    values[partition] = [...(values[partition] ?? []), ...records.map(text)];
  return { truncated: range.truncated, values };
}

function numbers(partition: number, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${partition}/${from + i}`);
}

describe('history', () => {
  test('from the beginning to now: everything, in order', async () => {
    expect(await read({})).toEqual({
      truncated: false,
      values: { 0: numbers(0, 0, 10), 1: numbers(1, 0, 10) },
    });
  });

  test('positions: from the first that is named to before the last; partitions that are not named take no part', async () => {
    expect(
      await read({
        from: { kind: 'positions', positions: { 0: '3' } },
        until: { kind: 'positions', positions: { 0: '7' } },
      }),
    ).toEqual({ truncated: false, values: { 0: numbers(0, 3, 7) } });
  });

  test('times: from the first at or after one to before the first at or after the other', async () => {
    const range = await read({
      from: { kind: 'time', timeMs: START_MS + 2_500 },
      until: { kind: 'time', timeMs: START_MS + 6_000 },
    });
    expect(range).toEqual({ truncated: false, values: { 0: numbers(0, 3, 6), 1: numbers(1, 3, 6) } });
  });

  test('a time after the last record is the end', async () => {
    expect((await read({ from: { kind: 'time', timeMs: START_MS + 3_600_000 } })).values).toEqual({});
    expect((await read({ until: { kind: 'time', timeMs: START_MS + 3_600_000 } })).values).toEqual({
      0: numbers(0, 0, 10),
      1: numbers(1, 0, 10),
    });
  });

  test('what is published after the start does not come', async () => {
    const opened = await openTransport({ partitions: 1 });
    await publish(opened.transport, [record(0, 'a')]);
    const range = await opened.transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    await publish(opened.transport, [record(0, 'b')]);
    const found: string[] = [];
    for await (const { records } of range.batches) found.push(...records.map(text));
    expect(found).toEqual(['a']);
    await opened.transport.close();
  });

  test('a position that is no offset is refused', async () => {
    await expect(read({ from: { kind: 'positions', positions: { 0: 'first' } } })).rejects.toMatchObject({
      code: 'VALIDATION',
    });
  });

  test('the signal ends it', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(read({ signal })).rejects.toThrow('enough');
  });

  test('says so when the oldest were deleted, and gives what is left', async () => {
    const admin = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();
    await admin.connect();
    // kafkajs deletes only in topics whose metadata it has seen.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '4' }] });
    await admin.disconnect();
    expect(await read({})).toEqual({
      truncated: true,
      values: { 0: numbers(0, 0, 10), 1: numbers(1, 4, 10) },
    });
    expect(await read({ from: { kind: 'positions', positions: { 1: '2' } } })).toMatchObject({
      truncated: true,
    });
    expect(await read({ from: { kind: 'positions', positions: { 1: '4' } } })).toMatchObject({
      truncated: false,
      values: { 1: numbers(1, 4, 10) },
    });
    expect(await read({ from: { kind: 'time', timeMs: START_MS + 1_000 } })).toMatchObject({
      truncated: true,
    });
    expect(await read({ from: { kind: 'time', timeMs: START_MS + 5_000 } })).toMatchObject({
      truncated: false,
    });
  });

  test('leaves out what an aborted transaction wrote, and the marks of transactions', async () => {
    const opened = await openTransport({ partitions: 1 });
    const stream = `${opened.settings.topicPrefix}.stream`;
    const producer = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (const [value, ends] of [
      ['kept 1', 'commit'],
      ['dropped', 'abort'],
      ['kept 2', 'commit'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: stream, messages: [{ value }] });
      await transaction[ends]();
    }
    await producer.disconnect();
    const range = await opened.transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    const found: string[] = [];
    for await (const { records } of range.batches) found.push(...records.map(text));
    expect(found).toEqual(['kept 1', 'kept 2']);
    await opened.transport.close();
  });
});

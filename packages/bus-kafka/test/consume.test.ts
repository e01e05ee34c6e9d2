import { consumeSpec, RecordingSink } from '@omnibus/conformance-tests';
import kafkajs from 'kafkajs';
import { KafkaTransport } from '../src/transport.js';
import {
  openTransport,
  publish,
  record,
  records,
  sharedBrokers,
  Told,
  uniqueName,
  until,
} from './support/kafka.js';

type Opened = Awaited<ReturnType<typeof openTransport>>;

const opened: KafkaTransport[] = [];

async function open(options: Parameters<typeof openTransport>[0] = {}): Promise<Opened> {
  const result = await openTransport({ partitions: 4, ...options });
  opened.push(result.transport);
  return result;
}

/** Another process of the same application. */
async function sibling({ settings }: Opened): Promise<Opened> {
  const transport = new KafkaTransport(settings);
  const told = new Told();
  await transport.open(told);
  opened.push(transport);
  return { transport, told, settings };
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

async function groupsOnBroker(): Promise<string[]> {
  const admin = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();
  await admin.connect();
  try {
    return (await admin.listGroups()).groups.map(({ groupId }) => groupId);
  } finally {
    await admin.disconnect();
  }
}

describe('consuming', () => {
  test('delivers every record once, in the order of its partition, as it was published', async () => {
    const { transport } = await open();
    const sent = [0, 1, 2, 3].flatMap((partition) => records(partition, 50));
    await publish(transport, sent);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await until('all records', () => sink.delivered.length >= sent.length);
    for (const partition of [0, 1, 2, 3]) {
      expect(sink.values(partition)).toEqual(
        records(partition, 50).map(({ value }) => Buffer.from(value).toString()),
      );
    }
    const [first] = sink.delivered.filter(({ partition }) => partition === 2);
    expect(first?.record).toMatchObject({ key: 'key-2', position: '0', redelivered: false });
    expect(Buffer.from(first?.record.headers.event_id as Uint8Array).toString()).toBe('2/0');
    expect(first?.record.timestampMs).toBe(sent[100]?.timestampMs);
  });

  test('a second process goes on where the first was settled, not where it was delivered', async () => {
    const first = await open();
    const group = uniqueName();
    await publish(first.transport, records(1, 10));
    const before = new RecordingSink('before', false);
    const consumption = await first.transport.consume(consumeSpec(group), before);
    await until('ten records', () => before.delivered.length === 10);
    before.current(1).settle(4);
    await consumption.stop(1_000);
    const second = await sibling(first);
    const after = new RecordingSink('after');
    await second.transport.consume(consumeSpec(group), after);
    await until('the other six', () => after.delivered.length >= 6);
    expect(after.values()).toEqual(records(1, 6, 4).map(({ value }) => Buffer.from(value).toString()));
  });

  test('journals of all partitions are there at the take-over, also before anything was delivered', async () => {
    const first = await open();
    const group = uniqueName();
    const before = new RecordingSink('before');
    const consumption = await first.transport.consume(consumeSpec(group), before);
    await until('all four open', () => before.assignments.filter(({ journals }) => journals).length === 4);
    await before.current(3).port.saveJournal('{"o":"me"}');
    await consumption.stop(1_000);
    const second = await sibling(first);
    const after = new RecordingSink('after');
    await second.transport.consume(consumeSpec(group), after);
    await until('all four open', () => after.assignments.filter(({ journals }) => journals).length === 4);
    expect(Object.fromEntries(after.current(0).journals ?? [])).toEqual({
      0: 'clean:before',
      1: 'clean:before',
      2: 'clean:before',
      3: 'clean:before',
    });
  });

  test('a journal that the broker cannot store is refused at once', async () => {
    const { transport } = await open({ partitions: 1 });
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await expect(sink.current(0).port.saveJournal('x'.repeat(4_097))).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
    await expect(sink.current(0).port.saveJournal('x'.repeat(4_096))).resolves.toBeUndefined();
  });

  test('a paused partition does not hold up the others, and goes on where it was', async () => {
    const { transport } = await open({ partitions: 2 });
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await publish(transport, [record(0, 'a'), record(1, 'b')]);
    await until('both', () => sink.delivered.length === 2);
    sink.current(0).port.pause();
    // What was asked for before the pause may still come.
    await publish(transport, [record(0, 'c')]);
    await publish(transport, [record(1, 'd')]);
    await until('the other partition', () => sink.values(1).length === 2);
    for (let i = 0; i < 20; i += 1) await publish(transport, [record(0, `e${i}`), record(1, `f${i}`)]);
    await until('the other partition again', () => sink.values(1).length === 22);
    expect(sink.values(0).length).toBeLessThanOrEqual(2);
    sink.current(0).port.resume();
    await until('the paused one', () => sink.values(0).length === 22);
    expect(sink.values(0)).toEqual(['a', 'c', ...Array.from({ length: 20 }, (_, i) => `e${i}`)]);
  });

  test('a batch that cannot be unpacked stops its own partition only, until it can', async () => {
    const codecs = kafkajs.CompressionCodecs;
    const missing = codecs[kafkajs.CompressionTypes.Snappy];
    const writer = await open({ compression: 'snappy', compressionCodecs: { snappy: literalSnappy } });
    const snappy = codecs[kafkajs.CompressionTypes.Snappy];
    await publish(writer.transport, records(1, 2));
    codecs[kafkajs.CompressionTypes.Snappy] = missing;
    try {
      const reader = await open({ topicPrefix: writer.settings.topicPrefix });
      const sink = new RecordingSink();
      await reader.transport.consume(consumeSpec(uniqueName()), sink);
      await until('the reason', () => reader.told.errors.length > 2);
      await publish(reader.transport, [...records(0, 3), ...records(2, 3)]);
      await until('the other partitions', () => sink.delivered.length === 6);
      expect(reader.told.errors[0]).toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('compressionCodecs'),
      });
      codecs[kafkajs.CompressionTypes.Snappy] = snappy;
      await until('what could not be read', () => sink.values(1).length === 2);
      expect(reader.told.disconnections).toEqual([]);
    } finally {
      codecs[kafkajs.CompressionTypes.Snappy] = missing;
    }
  });

  test('lag counts what is not settled, also when nothing is consumed', async () => {
    const { transport } = await open({ partitions: 2 });
    const group = uniqueName();
    await publish(transport, records(0, 7));
    expect(await transport.lag(group)).toEqual([
      { partition: 0, lag: 7 },
      { partition: 1, lag: 0 },
    ]);
    const sink = new RecordingSink('slow', false);
    const consumption = await transport.consume(consumeSpec(group), sink);
    await until('seven', () => sink.delivered.length === 7);
    sink.current(0).settle(3);
    await sink.current(0).port.flush();
    expect(await transport.lag(group)).toEqual([
      { partition: 0, lag: 4 },
      { partition: 1, lag: 0 },
    ]);
    await consumption.stop(100);
    expect(await transport.lag(group)).toEqual([
      { partition: 0, lag: 4 },
      { partition: 1, lag: 0 },
    ]);
  });
});

describe('where a group starts', () => {
  test('a new group at the latest gets what is published after it started, and nothing before', async () => {
    const { transport } = await open({ partitions: 2 });
    await publish(transport, records(0, 5));
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName(), { startFrom: 'latest' }), sink);
    await publish(transport, records(0, 1, 100));
    await until('the new one', () => sink.delivered.length > 0);
    expect(sink.values()).toEqual(['0/100']);
  });

  test('a group that was ensured keeps what is published before anybody consumes, and is not moved by ensuring it again', async () => {
    const { transport } = await open({ partitions: 2 });
    const { group } = consumeSpec(uniqueName(), { startFrom: 'latest' });
    await publish(transport, records(0, 3));
    await transport.ensureGroup(group);
    await publish(transport, records(0, 2, 10));
    await transport.ensureGroup(group);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(group.name, { startFrom: 'latest' }), sink);
    await until('both', () => sink.delivered.length >= 2);
    expect(sink.values()).toEqual(['0/10', '0/11']);
  });

  test('ensuring a group that is consumed leaves it alone', async () => {
    const { transport } = await open({ partitions: 1 });
    const { group } = consumeSpec(uniqueName());
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(group.name), sink);
    await publish(transport, records(0, 3));
    await until('three', () => sink.delivered.length === 3);
    await transport.ensureGroup(group);
    await publish(transport, records(0, 1, 3));
    await until('the fourth', () => sink.delivered.length === 4);
    expect(sink.values()).toEqual(['0/0', '0/1', '0/2', '0/3']);
  });

  test('an ephemeral group starts at the latest and is gone from the broker after it stopped', async () => {
    const { transport } = await open({ partitions: 1 });
    await publish(transport, records(0, 3));
    const group = uniqueName('ephemeral');
    const sink = new RecordingSink();
    const consumption = await transport.consume(
      consumeSpec(group, { ephemeral: true, startFrom: 'latest' }),
      sink,
    );
    await publish(transport, records(0, 1, 3));
    await until('the new one', () => sink.delivered.length === 1);
    expect(await groupsOnBroker()).toContain(group);
    await consumption.stop(1_000);
    expect(await groupsOnBroker()).not.toContain(group);
  });

  test('publishing, asking and reading history make no group', async () => {
    const before = await groupsOnBroker();
    const { transport } = await open();
    await publish(transport, records(0, 3));
    await transport.ping(5_000);
    for await (const _ of transport.deadLetters.read({ group: undefined, after: undefined, pageSize: 10 }))
      break;
    const range = await transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    for await (const _ of range.batches) break;
    const after = await groupsOnBroker();
    // Other test files run beside this one; none of theirs looks like ours.
    expect(after.filter((group) => !before.includes(group) && !/-[0-9a-f]{8}$/.test(group))).toEqual([]);
  });
});

/** Snappy without any compression: the length, then literals of at most 65,536 bytes. */
const literalSnappy = {
  compress(data: Buffer): Buffer {
    const length: number[] = [];
    let rest = data.length;
    for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
    const parts: Buffer[] = [Buffer.from([...length, rest])];
    for (let at = 0; at < data.length; at += 65_536) {
      const part = data.subarray(at, at + 65_536);
      parts.push(Buffer.from([61 << 2, (part.length - 1) & 255, (part.length - 1) >> 8]), part);
    }
    return Buffer.concat(parts);
  },
  decompress(data: Buffer): Buffer {
    let at = 0;
    while ((data[at] as number) > 127) at += 1;
    const parts: Buffer[] = [];
    for (at += 1; at < data.length; ) {
      const length = data.readUInt16LE(at + 1) + 1;
      parts.push(data.subarray(at + 3, at + 3 + length));
      at += 3 + length;
    }
    return Buffer.concat(parts);
  },
};

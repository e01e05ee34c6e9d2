import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

const bodies = (partition: number, count: number, first = 0): string[] =>
  records(partition, count, first).map(({ value }) => Buffer.from(value).toString());

describe('consuming', () => {
  test('delivers every record once, in the order of its partition, as it was published', async () => {
    const { transport } = await opener.open();
    const sent = [0, 1, 2, 3].flatMap((partition) => records(partition, 200));
    await sendAll(transport, sent);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await until('all records', () => sink.delivered.length >= sent.length);
    for (const partition of [0, 1, 2, 3]) expect(sink.values(partition)).toEqual(bodies(partition, 200));
    expect(sink.delivered[0]?.record).toMatchObject({ redelivered: false });
    const [first] = sink.delivered.filter(({ partition }) => partition === 2);
    expect(first?.record.key).toBe('key-2');
    expect(String(first?.record.headers.event_id)).toBe('2/0');
  });

  test('wakes up at once for what is published at rest', async () => {
    const { transport } = await opener.open();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    for (let n = 0; n < 5; n += 1) {
      await sendAll(transport, records(n % 4, 1, n));
      await until(`record ${n}`, () => sink.delivered.length === n + 1, 1_000);
    }
  });

  test('a second process goes on where the first was settled, with what it left pending', async () => {
    const first = await opener.open();
    const group = uniqueName();
    await sendAll(first.transport, records(1, 10));
    const before = new RecordingSink('before', false);
    const consumption = await first.transport.consume(consumeSpec(group), before);
    await until('ten records', () => before.delivered.length === 10);
    before.current(1).settle(4);
    await consumption.stop(1_000);
    const second = await opener.sibling(first);
    const after = new RecordingSink('after');
    await second.transport.consume(consumeSpec(group), after);
    await until('the other six', () => after.delivered.length >= 6);
    expect(after.values()).toEqual(bodies(1, 6, 4));
    expect(after.delivered.every(({ record }) => record.redelivered)).toBe(true);
    expect(after.current(1).journals?.get(1)).toBe('clean:before');
  });

  test('what is settled out of order stays settled, and only the gap comes again', async () => {
    const first = await opener.open();
    const group = uniqueName();
    await sendAll(first.transport, records(0, 3));
    const before = new RecordingSink('before', false);
    const consumption = await first.transport.consume(consumeSpec(group), before);
    await until('three records', () => before.delivered.length === 3);
    const [, second, third] = before.current(0).delivered;
    before
      .current(0)
      .port.settled({ records: [second, third] as never, watermark: undefined, journal: '{}' });
    await consumption.stop(1_000);
    const after = new RecordingSink('after');
    await first.transport.consume(consumeSpec(group), after);
    await until('the first record', () => after.delivered.length >= 1);
    await sendAll(first.transport, records(0, 1, 3));
    await until('the new record', () => after.delivered.length >= 2);
    expect(after.values()).toEqual(['0/0', '0/3']);
  });

  test('processes share the partitions, also as they come and go, and nothing is lost or comes out of order', async () => {
    const first = await opener.open();
    const group = uniqueName();
    const sinks = [new RecordingSink('a'), new RecordingSink('b'), new RecordingSink('c')] as const;
    await first.transport.consume(consumeSpec(group), sinks[0]);
    expect(sinks[0].owned).toEqual([0, 1, 2, 3]);
    const second = await opener.sibling(first);
    const consumption = await second.transport.consume(consumeSpec(group), sinks[1]);
    let sent = 0;
    const send = async (): Promise<void> => {
      for (const partition of [0, 1, 2, 3]) await sendAll(first.transport, records(partition, 10, sent));
      sent += 10;
    };
    await send();
    await until('two each', () => sinks[0].owned.length === 2 && sinks[1].owned.length === 2);
    await send();
    const third = await opener.sibling(first);
    await third.transport.consume(consumeSpec(group), sinks[2]);
    await until('the third to own one', () => sinks[2].owned.length === 1);
    await send();
    await consumption.stop(1_000);
    await until('two each again', () => sinks[0].owned.length === 2 && sinks[2].owned.length === 2);
    await send();
    const total = (): number => sinks.reduce((sum, sink) => sum + sink.delivered.length, 0);
    await until('everything', () => total() >= 4 * sent);
    expect(total()).toBe(4 * sent);
    for (const partition of [0, 1, 2, 3]) {
      const owners = sinks.filter((sink) => sink.values(partition).length > 0);
      for (const owner of owners) {
        const values = owner.values(partition);
        expect(values).toEqual(bodies(partition, sent).filter((value) => values.includes(value)));
      }
    }
  });

  test('no consumer of ours stays in the group, and an ephemeral group goes with its last member', async () => {
    const { transport, settings } = await opener.open();
    const client = opener.client();
    const consumption = await transport.consume(consumeSpec('lasting'), new RecordingSink());
    const other = await transport.consume(consumeSpec('passing', { ephemeral: true }), new RecordingSink());
    await Promise.all([consumption.stop(1_000), other.stop(1_000)]);
    const stream = `${settings.streamPrefix}:stream`;
    expect(await client.xinfo('CONSUMERS', stream, 'lasting')).toEqual([]);
    const groups = (await client.xinfo('GROUPS', stream)) as string[][];
    expect(groups.map((group) => group[1])).toEqual(['lasting']);
  });
});

import { consumeSpec, RecordingSink, record, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

/** What another process would do that holds the lease now. */
async function stealLease(prefix: string, partition: number, group: string): Promise<void> {
  const stream = partition === 0 ? `${prefix}:stream` : `${prefix}:stream:${partition}`;
  await opener.client().set(`{${stream}}:lease:${group}`, 'thief/1:1', 'PX', 60_000);
}

describe('an owner whose lease is gone', () => {
  test('settles nothing, is told, and starts nothing more', async () => {
    const { transport, settings, told } = await opener.open({ partitions: 1 });
    const group = uniqueName();
    await sendAll(transport, records(0, 5));
    const sink = new RecordingSink('owner', false);
    await transport.consume(consumeSpec(group), sink);
    await until('five records', () => sink.delivered.length === 5);
    await stealLease(settings.streamPrefix, 0, group);
    sink.current(0).settle(5);
    await until('the loss', () => sink.assignments.every(({ isLost }) => isLost));
    const client = opener.client();
    const [pending] = (await client.xpending(`${settings.streamPrefix}:stream`, group)) as [number];
    expect(pending).toBe(5);
    expect(told.fencedCount).toBe(5);
    expect(told.errors.map((error) => (error as { code?: string }).code)).toContain('FENCED');
  });

  test('writes no dead letter', async () => {
    const { transport, settings } = await opener.open({ partitions: 1 });
    const group = uniqueName();
    await sendAll(transport, records(0, 1));
    const sink = new RecordingSink('owner', false);
    await transport.consume(consumeSpec(group), sink);
    await until('the record', () => sink.delivered.length === 1);
    const { port, delivered } = sink.current(0);
    await stealLease(settings.streamPrefix, 0, group);
    await expect(port.deadLetter(delivered[0] as never, record(0, 'letter'))).rejects.toMatchObject({
      code: 'FENCED',
    });
    expect(await opener.client().exists(`${settings.streamPrefix}:stream_dlq`)).toBe(0);
  });

  test('saves no journal, and reads nothing', async () => {
    const { transport, settings } = await opener.open({ partitions: 1 });
    const group = uniqueName();
    const sink = new RecordingSink('owner', false);
    await transport.consume(consumeSpec(group), sink);
    await until('the opening', () => sink.current(0).journals !== undefined);
    const { port } = sink.current(0);
    await stealLease(settings.streamPrefix, 0, group);
    await expect(port.saveJournal('late')).rejects.toMatchObject({ code: 'FENCED' });
    await until('the loss', () => sink.assignments.every(({ isLost }) => isLost));
    const client = opener.client();
    // Well before it would end by itself.
    const isWaiting = async (): Promise<boolean> => / flags=b /.test(String(await client.client('LIST')));
    await until('the end of its wait', async () => !(await isWaiting()), 3_000);
    await sendAll(transport, records(0, 1));
    expect(sink.delivered).toEqual([]);
    expect(await client.get(`{${settings.streamPrefix}:stream}:journal:${group}`)).toBe('open:owner');
    const [pending] = (await client.xpending(`${settings.streamPrefix}:stream`, group)) as [number];
    expect(pending).toBe(0);
  });

  test('gets the partition back when it is free again, with everything that is pending first', async () => {
    const { transport, settings } = await opener.open({ partitions: 1 });
    const group = uniqueName();
    await sendAll(transport, records(0, 3));
    const sink = new RecordingSink('owner', false);
    await transport.consume(consumeSpec(group), sink);
    await until('three records', () => sink.delivered.length === 3);
    await stealLease(settings.streamPrefix, 0, group);
    await until('the loss', () => sink.assignments.every(({ isLost }) => isLost));
    await sendAll(transport, records(0, 2, 3));
    await opener.client().del(`{${settings.streamPrefix}:stream}:lease:${group}`);
    await until('all five', () => sink.delivered.length === 8);
    expect(sink.current(0).delivered.map(({ value }) => String(value))).toEqual([
      '0/0',
      '0/1',
      '0/2',
      '0/3',
      '0/4',
    ]);
  });
});

describe('what is deleted under a running bus', () => {
  test('everything: the group is made anew, one error tells, consumption goes on', async () => {
    const { transport, settings, told } = await opener.open();
    const group = uniqueName();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(group), sink);
    await sendAll(transport, records(1, 5));
    await until('five records', () => sink.delivered.length === 5);
    const client = opener.client();
    const keys = await client.keys(`*${settings.streamPrefix}:stream*`);
    await client.del(...keys);
    await until('the group again', async () => {
      const groups = await client.xinfo('GROUPS', `${settings.streamPrefix}:stream:1`).catch(() => []);
      return (groups as unknown[]).length === 1;
    });
    await sendAll(transport, records(1, 5, 5));
    await until('the next five', () => sink.delivered.length >= 10);
    expect(sink.values(1).slice(-5)).toEqual(['1/5', '1/6', '1/7', '1/8', '1/9']);
    expect(told.errors.map(({ message }) => message)).toEqual([expect.stringContaining('made anew')]);
  });

  test('when something fails while the group is made anew, it is tried again', async () => {
    const { transport, settings, told } = await opener.open({ partitions: 2 });
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    const client = opener.client();
    const keys = await client.keys(`*${settings.streamPrefix}:stream*`);
    const count = `{${settings.streamPrefix}:stream}:partitions`;
    // Somebody begins the stream anew with fewer partitions, and thinks better of it.
    await client
      .multi()
      .del(...keys)
      .set(count, 1)
      .exec();
    await until('the refusal', () => told.errors.some(({ message }) => message.includes('partitions: is 2')));
    await client.del(count);
    await until('both partitions', () => told.ownerships.at(-1)?.length === 2);
    await sendAll(transport, records(1, 5));
    await until('five records', () => sink.delivered.length >= 5);
  });

  test('the group alone: it begins behind what was settled', async () => {
    const { transport, settings, told } = await opener.open({ partitions: 1 });
    const group = uniqueName();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(group), sink);
    await sendAll(transport, records(0, 5));
    await until('five records', () => sink.delivered.length === 5);
    await opener.client().xgroup('DESTROY', `${settings.streamPrefix}:stream`, group);
    await sendAll(transport, records(0, 5, 5));
    await until('the next five', () => sink.delivered.length >= 10);
    expect(sink.values()).toEqual(records(0, 10).map(({ value }) => Buffer.from(value).toString()));
    expect(told.errors.map(({ message }) => message)).toEqual([expect.stringContaining('made anew')]);
  });

  test('entries that are pending: they are told as lost, and hold up nothing', async () => {
    const first = await opener.open({ partitions: 1 });
    const group = uniqueName();
    await sendAll(first.transport, records(0, 5));
    const before = new RecordingSink('before', false);
    const consumption = await first.transport.consume(consumeSpec(group), before);
    await until('five records', () => before.delivered.length === 5);
    const stream = `${first.settings.streamPrefix}:stream`;
    await opener.client().xtrim(stream, 'MAXLEN', 3);
    await consumption.stop(1_000);
    const after = new RecordingSink('after');
    await first.transport.consume(consumeSpec(group), after);
    await until('the other three', () => after.delivered.length >= 3);
    expect(after.values()).toEqual(['0/2', '0/3', '0/4']);
    expect(first.told.errors.map(({ message }) => message).join()).toMatch(/^2 events .* are lost/);
    await until('nothing pending', async () => {
      const [pending] = (await opener.client().xpending(stream, group)) as [number];
      return pending === 0;
    });
  });
});

import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { listGroups, type RedisEventBusOptions, removeConsumer, removeGroup } from '../src/index.js';
import { Opener, sharedUrl, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

const optionsOf = (streamPrefix: string): RedisEventBusOptions => ({ url: sharedUrl(), streamPrefix });

describe('groups', () => {
  test('are listed with who is there, who was, and what they have still to handle', async () => {
    const { transport, settings } = await opener.open();
    await transport.ensureGroup({ name: 'forgotten', startFrom: 'earliest', ephemeral: false });
    for (const partition of [0, 1]) await sendAll(transport, records(partition, 5));
    const sink = new RecordingSink('slow', false);
    await transport.consume(consumeSpec('at-work'), sink);
    await until('all records', () => sink.delivered.length === 10);
    sink.current(0).settle(3);
    await sink.current(0).port.flush();
    const [atWork, forgotten, ...others] = await listGroups(optionsOf(settings.streamPrefix));
    expect(atWork).toMatchObject({
      name: 'at-work',
      members: ['consumer-of-at-work'],
      consumers: [{ name: 'consumer-of-at-work', pending: 7 }],
      lag: 7,
    });
    expect(forgotten).toEqual({ name: 'forgotten', members: [], consumers: [], lag: 10 });
    expect(others).toEqual([]);
  });

  test('of services that know only partition 0 count for that', async () => {
    const { transport, settings } = await opener.open();
    for (const partition of [0, 1]) await sendAll(transport, records(partition, 5));
    const client = opener.client();
    const stream = `${settings.streamPrefix}:stream`;
    await client.xgroup('CREATE', stream, 'foreign', '0');
    await client.xreadgroup('GROUP', 'foreign', 'python-1', 'COUNT', 2, 'STREAMS', stream, '>');
    expect(await listGroups(optionsOf(settings.streamPrefix))).toEqual([
      {
        name: 'foreign',
        members: [],
        consumers: [{ name: 'python-1', pending: 2, idleMs: expect.any(Number) }],
        lag: 5,
      },
    ]);
  });

  test('of a prefix that nobody uses are none, and looking makes nothing', async () => {
    const streamPrefix = uniqueName('unused');
    expect(await listGroups(optionsOf(streamPrefix))).toEqual([]);
    expect(await removeGroup(optionsOf(streamPrefix), 'none')).toBe(false);
    expect(await opener.client().keys(`*${streamPrefix}*`)).toEqual([]);
  });

  test('are removed when they are dead, with all they left, and not before', async () => {
    const { transport, settings } = await opener.open();
    const options = optionsOf(settings.streamPrefix);
    await sendAll(transport, records(1, 5));
    const sink = new RecordingSink('owner', false);
    const consumption = await transport.consume(consumeSpec('leaving'), sink);
    await until('all records', () => sink.delivered.length === 5);
    await expect(removeGroup(options, 'leaving')).rejects.toMatchObject({
      code: 'BROKER',
      retryable: true,
      message: expect.stringContaining('consumer-of-leaving'),
    });
    expect((await listGroups(options)).map(({ name }) => name)).toEqual(['leaving']);
    await consumption.stop(1_000);
    expect(await removeGroup(options, 'leaving')).toBe(true);
    expect(await listGroups(options)).toEqual([]);
    expect(await opener.client().keys(`*${settings.streamPrefix}*leaving*`)).toEqual([]);
    expect(await removeGroup(options, 'leaving')).toBe(false);
  });

  test('stay while a lease of theirs lasts, although nobody is heard of', async () => {
    const { transport, settings } = await opener.open();
    const options = optionsOf(settings.streamPrefix);
    await transport.ensureGroup({ name: 'crashed', startFrom: 'earliest', ephemeral: false });
    const lease = `{${settings.streamPrefix}:stream:2}:lease:crashed`;
    await opener.client().set(lease, 'gone/1:1', 'PX', 60_000);
    await expect(removeGroup(options, 'crashed')).rejects.toMatchObject({ code: 'BROKER' });
    expect((await listGroups(options)).map(({ name }) => name)).toEqual(['crashed']);
    await opener.client().del(lease);
    expect(await removeGroup(options, 'crashed')).toBe(true);
  });

  test('stay while a consumer of another kind was heard of, for as long as it is said', async () => {
    const { transport, settings } = await opener.open();
    const options = optionsOf(settings.streamPrefix);
    await sendAll(transport, records(0, 1));
    const client = opener.client();
    const stream = `${settings.streamPrefix}:stream`;
    await client.xgroup('CREATE', stream, 'foreign', '0');
    await client.xreadgroup('GROUP', 'foreign', 'python-1', 'COUNT', 1, 'STREAMS', stream, '>');
    await expect(removeGroup(options, 'foreign')).rejects.toMatchObject({
      message: expect.stringContaining('python-1'),
    });
    expect(await removeGroup(options, 'foreign', { quietMs: 0 })).toBe(true);
  });
});

describe('a consumer that is gone', () => {
  test('is removed when nothing would be lost with it', async () => {
    const { transport, settings } = await opener.open();
    const options = optionsOf(settings.streamPrefix);
    await sendAll(transport, records(0, 3));
    const client = opener.client();
    const stream = `${settings.streamPrefix}:stream`;
    await client.xgroup('CREATE', stream, 'foreign', '0');
    await client.xreadgroup('GROUP', 'foreign', 'python-1', 'COUNT', 3, 'STREAMS', stream, '>');
    await expect(removeConsumer(options, 'foreign', 'python-1')).rejects.toMatchObject({
      code: 'BROKER',
      retryable: false,
      message: expect.stringContaining('3 events'),
    });
    const entries = await client.xrange(stream, '-', '+');
    await client.xack(stream, 'foreign', ...entries.map(([id]) => id));
    await removeConsumer(options, 'foreign', 'python-1');
    expect((await listGroups(options))[0]?.consumers).toEqual([]);
    await removeConsumer(options, 'foreign', 'python-1');
    await removeConsumer(options, 'no such group', 'python-1');
  });
});

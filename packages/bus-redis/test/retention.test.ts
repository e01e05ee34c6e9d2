import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

describe('retention', () => {
  test('a longer stream than wanted loses its oldest entries', async () => {
    const { transport, settings } = await opener.open({ partitions: 1, retention: { maxLength: 100 } });
    await sendAll(transport, records(0, 1_000));
    const stream = `${settings.streamPrefix}:stream`;
    await until('the trimming', async () => (await opener.client().xlen(stream)) === 100);
    const [[, fields] = ['', []]] = await opener.client().xrange(stream, '-', '+', 'COUNT', 1);
    expect(fields[fields.indexOf('payload') + 1]).toBe('0/900');
  });

  test('what a group has still to handle stays, and goes when it is handled', async () => {
    const { transport, settings } = await opener.open({ partitions: 1, retention: { maxLength: 10 } });
    const group = uniqueName();
    const sink = new RecordingSink('slow', false);
    await transport.consume(consumeSpec(group), sink);
    await sendAll(transport, records(0, 100));
    await until('all records', () => sink.delivered.length === 100);
    sink.current(0).settle(50);
    const stream = `${settings.streamPrefix}:stream`;
    const client = opener.client();
    await until('what is handled to go', async () => (await client.xlen(stream)) === 50);
    sink.current(0).settle(50);
    await until('the rest to go', async () => (await client.xlen(stream)) === 10);
  });

  test('old entries go by their age; unread ones only when they may', async () => {
    const kept = await opener.open({ partitions: 1, retention: { maxAgeMs: 1 } });
    const gone = await opener.open({ partitions: 1, retention: { maxAgeMs: 1, trimUnread: true } });
    for (const { transport } of [kept, gone]) {
      await transport.ensureGroup({ name: 'unread', startFrom: 'earliest', ephemeral: false });
      await sendAll(transport, records(0, 5));
    }
    const client = opener.client();
    await until(
      'the trimming',
      async () => (await client.xlen(`${gone.settings.streamPrefix}:stream`)) === 0,
    );
    expect(await client.xlen(`${kept.settings.streamPrefix}:stream`)).toBe(5);
  });
});

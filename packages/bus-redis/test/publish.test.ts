import { record, records, sendAll } from '@omnibus/conformance-tests';
import { startRedis } from '@omnibus/test-brokers';
import { Opener, until } from './support/redis.js';

const opener = new Opener();
afterEach(() => opener.close());

async function bodiesOf(url: string, stream: string): Promise<string[]> {
  const entries = await opener.client(url).xrange(stream, '-', '+');
  return entries.map(([, fields]) => fields[fields.indexOf('payload') + 1] ?? '');
}

describe('publishing', () => {
  test('what is sent again because its answer was lost is stored once, in order', async () => {
    const redis = await startRedis({ durable: true });
    try {
      const { transport, told, settings } = await opener.open({ url: redis.url, partitions: 1 });
      await sendAll(transport, records(0, 10));
      const all = records(0, 200, 10);
      let left = all;
      for (let cuts = 0; left.length > 0; cuts += 1) {
        const sending = transport.send(left);
        // Cuts the connection while the answer is on its way, or the request.
        if (cuts < 5) await redis.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        const { failures } = await sending;
        expect(failures.every(({ error }) => error.retryable)).toBe(true);
        const failed = new Set(failures.map(({ index }) => index));
        left = left.filter((_, index) => failed.has(index));
        if (left.length > 0)
          await until('the connection', async () =>
            transport.ping(1_000).then(
              () => true,
              () => false,
            ),
          );
      }
      expect(await bodiesOf(redis.url, `${settings.streamPrefix}:stream`)).toEqual(
        records(0, 210).map(({ value }) => Buffer.from(value).toString()),
      );
      await until('the reconnection to be told', () => told.reconnections === told.disconnections.length);
    } finally {
      await redis.stop();
    }
  });

  test('a command that reaches the server late stores nothing a second time', async () => {
    const redis = await startRedis();
    try {
      const { transport, settings } = await opener.open({
        url: redis.url,
        partitions: 1,
        requestTimeoutMs: 300,
      });
      await sendAll(transport, records(0, 1));
      await redis.pause();
      const first = record(0, 'late');
      const { failures } = await transport.send([first]);
      expect(failures).toHaveLength(1);
      await redis.resume();
      await sendAll(transport, [first, record(0, 'next')]);
      expect(await bodiesOf(redis.url, `${settings.streamPrefix}:stream`)).toEqual(['0/0', 'late', 'next']);
    } finally {
      await redis.stop();
    }
  });

  test('a full server refuses everything or nothing, and says what to do', async () => {
    const redis = await startRedis({ maxMemoryMb: 8 });
    try {
      const { transport } = await opener.open({ url: redis.url, partitions: 1 });
      const large = Array.from({ length: 200 }, (_, n) => record(0, `${n}`.padEnd(100_000, '.')));
      let failures: Awaited<ReturnType<typeof transport.send>>['failures'] = [];
      for (let n = 0; n < 20 && failures.length === 0; n += 1) ({ failures } = await transport.send(large));
      expect(failures[0]?.error).toMatchObject({ code: 'BROKER', retryable: true });
      expect(failures[0]?.error.message).toMatch(/OOM.*maxmemory/);
    } finally {
      await redis.stop();
    }
  });

  test('without the replicas that were asked for nothing counts as published', async () => {
    const { transport } = await opener.open({ partitions: 1, durability: { replicas: 1, timeoutMs: 50 } });
    const { failures } = await transport.send(records(0, 3));
    expect(failures).toHaveLength(3);
    expect(failures[0]?.error.message).toContain('0 of 1 replicas');
  });

  test('nothing of a publisher stays behind but what it published', async () => {
    const { transport, settings } = await opener.open({ partitions: 1 });
    await sendAll(transport, records(0, 3));
    await transport.close();
    const keys = await opener.client().keys(`*${settings.streamPrefix}:*`);
    expect(keys.sort()).toEqual([
      `${settings.streamPrefix}:stream`,
      `{${settings.streamPrefix}:stream}:partitions`,
    ]);
  });
});

import { records, sendAll } from '@omnibus/conformance-tests';
import { Opener } from './support/redis.js';
import { Servers } from './support/servers.js';

jest.setTimeout(120_000);

const opener = new Opener();
const servers = new Servers();
afterEach(async () => {
  await opener.close();
  await servers.stop();
});

const AOF = ['appendonly yes', 'appendfsync everysec'];

describe('durability.fsync', () => {
  test.each(['redis-8', 'valkey-8'] as const)(
    '%s: a publish is confirmed when its events are on the disk, and not before',
    async (name) => {
      const redis = await servers.start(name, { config: AOF });
      const { transport } = await opener.open({ url: redis.url, durability: { fsync: true } });
      for (let n = 0; n < 2; n += 1) await sendAll(transport, records(n, 10));
      const waits = /cmdstat_waitaof:calls=(\d+)/.exec(String(await redis.ask('INFO', 'commandstats')));
      expect(Number(waits?.[1])).toBeGreaterThanOrEqual(2);
      // From now on nobody makes sure of anything.
      await redis.ask('CONFIG', 'SET', 'appendfsync', 'no');
      const impatient = await opener.open({ url: redis.url, durability: { fsync: true, timeoutMs: 100 } });
      const { failures } = await impatient.transport.send(records(0, 3));
      expect(failures).toHaveLength(3);
      expect(failures[0]?.error).toMatchObject({ code: 'BROKER', retryable: true });
      expect(failures[0]?.error.message).toContain('0 of 1 disk');
    },
  );

  test('a server that writes no append-only file is refused at connect', async () => {
    const redis = await servers.start('redis-8');
    await expect(opener.open({ url: redis.url, durability: { fsync: true } })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      problems: [{ path: 'durability.fsync' }],
    });
  });

  test('a server that does not know WAITAOF is refused at connect', async () => {
    const redis = await servers.start('redis-8', { config: [...AOF, 'rename-command WAITAOF ""'] });
    await expect(opener.open({ url: redis.url, durability: { fsync: true } })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('WAITAOF'),
    });
  });
});

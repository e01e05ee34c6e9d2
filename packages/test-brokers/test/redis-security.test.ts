import { type RunningRedis, startRedis } from '../src/index.js';
import { askRedis, type RedisUser } from '../src/redis/ask.js';
import type { RedisReply } from '../src/redis/resp.js';
import { natively } from './native.js';

const ALICE = { username: 'alice', password: 'alice-secret' };
const READER = { username: 'reader', password: 'reader-secret', rules: '~seen:* +@read' };

describe('users and TLS of a Redis', () => {
  let redis: RunningRedis;
  beforeAll(async () => {
    redis = await natively(() => startRedis({ tls: 'mutual', users: [ALICE, READER], report: () => {} }));
  }, 120_000);
  afterAll(() => redis.stop());

  const plain = (user: RedisUser | undefined, ...command: string[]): Promise<RedisReply> =>
    askRedis({ at: redis.address, user }, command, 2_000);

  it('let nobody in without logging in, and each user do what the rules say', async () => {
    await expect(plain(undefined, 'PING')).rejects.toThrow('NOAUTH');
    await expect(plain({ ...ALICE, password: 'guess' }, 'PING')).rejects.toThrow('WRONGPASS');
    expect(await plain(ALICE, 'SET', 'seen:1', 'yes')).toBe('OK');
    expect(await plain(READER, 'GET', 'seen:1')).toBe('yes');
    await expect(plain(READER, 'SET', 'seen:1', 'no')).rejects.toThrow('NOPERM');
    await expect(plain(READER, 'GET', 'other')).rejects.toThrow('NOPERM');
    expect(await redis.ask('ACL', 'WHOAMI')).toBe(redis.admin?.username);
  });

  const encrypted = (tls: { ca?: string; cert?: string; key?: string }): Promise<RedisReply> =>
    askRedis({ at: redis.tls?.address ?? redis.address, user: ALICE, tls }, ['GET', 'seen:1'], 2_000);

  it('let only clients in that trust the authority and have a certificate of it', async () => {
    const { ca = '', clientCertificate: cert = '', clientKey: key = '', url } = redis.tls ?? {};
    expect(url).toBe(`rediss://127.0.0.1:${redis.tls?.address.port}`);
    expect(await encrypted({ ca, cert, key })).toBe('yes');
    await expect(encrypted({ ca })).rejects.toThrow(/certificate required|closed the connection/);
    await expect(encrypted({ cert, key })).rejects.toThrow(/self-signed certificate/);
  });

  it('need no client certificate where TLS is not mutual', async () => {
    const other = await natively(() => startRedis({ tls: true, report: () => {} }));
    try {
      const { ca = '', address = other.address } = other.tls ?? {};
      expect(await askRedis({ at: address, tls: { ca } }, ['PING'], 2_000)).toBe('PONG');
      expect(other.admin).toBeUndefined();
    } finally {
      await other.stop();
    }
  });
});

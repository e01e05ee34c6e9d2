import { type RunningRedis, startRedis, startRedisSentinel } from '../src/index.js';
import { natively } from './native.js';

describe('a Redis named in the environment', () => {
  const lines: string[] = [];
  const report = (line: string): void => void lines.push(line);
  const before = { ...process.env };
  const user = { username: 'alice', password: 'alice-secret' };
  let own: RunningRedis;
  let url: string;

  beforeAll(async () => {
    own = await natively(() => startRedis({ users: [user], report: () => {} }));
    url = own.url.replace('//', '//alice:alice-secret@');
    delete process.env.OMNIBUS_BROKERS;
    process.env.OMNIBUS_REDIS_URL = url;
  }, 120_000);
  afterAll(async () => {
    for (const name of ['OMNIBUS_BROKERS', 'OMNIBUS_REDIS_URL']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await own.stop();
  });

  it('is taken before anything else, and outlives stop', async () => {
    const redis = await startRedis({ report });
    expect(redis).toMatchObject({ provider: 'environment', url, address: own.address, users: [user] });
    expect(redis.version).toBe(own.version);
    expect(await redis.ask('ACL', 'WHOAMI')).toBe('alice');
    expect(await redis.administer(['redis-cli', 'ACL', 'WHOAMI'])).toBe('alice');
    expect(lines.at(-1)).toMatch(/environment, since OMNIBUS_REDIS_URL is set/);
    expect(lines.at(-1)).not.toContain('alice-secret');
    await redis.stop();
    expect(await own.ask('PING')).toBe('PONG');
  });

  it('refuses every fault, saying how to have them', async () => {
    const redis = await startRedis({ report });
    const refused = {
      code: 'FAULT_UNAVAILABLE',
      message: expect.stringContaining('Unset OMNIBUS_REDIS_URL'),
    };
    for (const fault of ['kill', 'pause', 'resume', 'down', 'start', 'restart'] as const) {
      await expect(redis[fault]()).rejects.toMatchObject(refused);
    }
    expect(() => redis.node(0)).toThrow('Unset OMNIBUS_REDIS_URL');
  });

  it('is not silently replaced when it cannot do what is asked for, or does not answer', async () => {
    const asked = { durable: true, tls: true, config: ['hz 10'], report } as const;
    await expect(startRedis(asked)).rejects.toThrow(/durable.*tls.*config/);
    await expect(startRedisSentinel({ report })).rejects.toThrow(/a single Redis, not a sentinel/);
    process.env.OMNIBUS_REDIS_URL = 'redis://:guess@127.0.0.1:1/0';
    const failure = startRedis({ report });
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:1.*ECONNREFUSED/);
    await expect(failure).rejects.not.toThrow('guess');
    process.env.OMNIBUS_REDIS_URL = url.replace('alice-secret', 'guess');
    await expect(startRedis({ report })).rejects.toThrow(/WRONGPASS/);
    process.env.OMNIBUS_REDIS_URL = 'http://127.0.0.1:1';
    await expect(startRedis({ report })).rejects.toThrow(/scheme is http:/);
  });
});

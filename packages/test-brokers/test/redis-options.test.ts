import { startRedis, startRedisCluster } from '../src/index.js';
import { resolveRedisOptions } from '../src/redis/redis-options.js';

describe('options of startRedis', () => {
  it('takes the server from the option, then from the environment, then any', () => {
    const env = { OMNIBUS_REDIS_SERVER: 'valkey-8' };
    expect(resolveRedisOptions('single', { server: 'redis-8' }, env).server).toBe('redis-8');
    expect(resolveRedisOptions('single', {}, env).server).toBe('valkey-8');
    expect(resolveRedisOptions('single', {}, {}).server).toBeUndefined();
  });

  it('reports every problem together, before anything is started', async () => {
    const wrong = {
      durble: true,
      server: 'redis-5',
      maxMemoryMb: 0.5,
      config: ['hz 10\nport 1'],
      tls: 'both',
      serverCertificate: 'broken',
      users: [
        { username: 'default', password: 'x"y' },
        { username: 'a b', password: 'c' },
      ],
    } as object;
    const error: unknown = await startRedis(wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    for (const part of [
      'no option "durble"',
      'server is "redis-5"',
      'maxMemoryMb',
      'serverCertificate is "broken"',
      'one line',
      'tls can be',
      '"default" is taken',
      'user name "a b"',
      'password of default',
    ]) {
      expect(String(error)).toContain(part);
    }
    expect(String(error)).not.toContain('x"y');
  });

  it('rejects what only another kind of Redis can be given', async () => {
    const wrong = { tls: true } as object;
    await expect(startRedisCluster(wrong)).rejects.toThrow(/startRedisCluster: there is no option "tls"/);
    const single = { failureAfterMs: 1 } as object;
    await expect(startRedis(single)).rejects.toThrow(/startRedis: there is no option "failureAfterMs"/);
  });
});

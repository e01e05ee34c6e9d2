import { isBusError } from '@omnibus/core';
import { type RedisEventBusOptions, resolveRedisOptions } from '../src/options.js';

function problemsOf(options: unknown): readonly string[] {
  try {
    resolveRedisOptions(options as RedisEventBusOptions);
  } catch (error) {
    if (!isBusError(error) || error.code !== 'CONFIGURATION') throw error;
    return (error as unknown as { problems: readonly { path: string }[] }).problems.map(({ path }) => path);
  }
  return [];
}

describe('options', () => {
  test('nothing has to be given', () => {
    expect(resolveRedisOptions()).toMatchObject({
      streamPrefix: 'events',
      partitions: 8,
      leaseMs: 10_000,
      heartbeatIntervalMs: 1_000,
      durability: { replicas: 0, fsync: false },
      retention: { maxLength: undefined, maxAgeMs: undefined, trimUnread: false },
    });
  });

  test.each<readonly [unknown, string]>([
    [{ url: 'http://localhost' }, 'url'],
    [{ url: 'redis://localhost/not-a-number' }, 'url'],
    [{ url: 'redis://a:1', path: '/tmp/socket' }, 'url'],
    [{ cluster: { nodes: 'a' } }, 'cluster.nodes'],
    [{ cluster: { nodes: ['a:1'] }, db: 3 }, 'db'],
    [{ sentinel: { nodes: 'a:1' } }, 'sentinel.name'],
    [{ redis: {} }, 'redis'],
    [{ streamPrefix: 'a{b}' }, 'streamPrefix'],
    [{ partitions: 0 }, 'partitions'],
    [{ leaseMs: 1_000 }, 'heartbeatIntervalMs'],
    [{ durability: { replicas: 1, timeoutMs: 5_000 } }, 'durability.timeoutMs'],
    [{ durability: { timeoutMs: 100 } }, 'durability.timeoutMs'],
    [{ retention: { trimUnread: true } }, 'retention.trimUnread'],
    [{ security: { credentials: { username: 'u' } } }, 'security.credentials.password'],
    [{ url: 'redis://u:p@h', security: { credentials: { password: 'p' } } }, 'security.credentials'],
    [{ security: { tls: { ca: 'no such file' } } }, 'security.tls.ca'],
    [{ url: 'redis://h', security: { tls: { servername: 's' } } }, 'security.tls'],
    [{ url: 'rediss://a:1', security: { tls: false } }, 'security.tls'],
    [{ security: { tls: { passphrase: 'p' } } }, 'security.tls.passphrase'],
    [{ consumerGroup: 'g' }, 'consumerGroup'],
  ])('%j is refused by name', (options, path) => {
    expect(problemsOf(options)).toContain(path);
  });

  test('all problems are told together', () => {
    expect(problemsOf({ partitions: 0, leaseMs: 'long', url: 7 })).toEqual(['url', 'partitions', 'leaseMs']);
  });
});

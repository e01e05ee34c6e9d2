import type { ContainerRuntimeClient } from 'testcontainers';
import { dockerWithImage } from '../src/docker-engine.js';
import { startRedis, startRedisCluster, startRedisSentinel } from '../src/index.js';
import { askRedis } from '../src/redis/ask.js';

const IMAGE = 'redis:8';
const lines: string[] = [];
const report = (line: string): void => void lines.push(line);

describe('Docker as the provider of Redis', () => {
  const before = { ...process.env };
  beforeAll(() => {
    delete process.env.OMNIBUS_REDIS_URL;
    process.env.OMNIBUS_BROKERS = 'docker';
  });
  afterAll(() => {
    for (const name of ['OMNIBUS_BROKERS', 'OMNIBUS_REDIS_URL']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  /** The engine, or undefined when there is none that can be used; then that is what a start says. */
  async function engine(image: string = IMAGE): Promise<ContainerRuntimeClient | undefined> {
    const docker = await dockerWithImage(image, report);
    if (docker.available) return docker.client;
    expect(docker.reason).toMatch(/Docker/);
    if (image === IMAGE) {
      await expect(startRedis({ report })).rejects.toMatchObject({
        code: 'NO_PROVIDER',
        message: expect.stringContaining(docker.reason),
      });
    }
    return undefined;
  }

  const containersOf = async (client: ContainerRuntimeClient): Promise<number> =>
    (await client.container.list()).filter(({ Image }) => Image === IMAGE).length;

  it('runs a Redis that can be faulted like a process, or says why there is none', async () => {
    const client = await engine();
    if (client === undefined) return;
    const containersBefore = await containersOf(client);
    const users = [{ username: 'alice', password: 'alice-secret' }];
    const redis = await startRedis({ durable: true, users, report });
    try {
      expect(redis.describe()).toMatch(/: docker, since /);
      expect(redis.logs()).toContain('Ready to accept connections');
      await redis.ask('SET', 'key', 'kept');
      await redis.pause();
      expect(redis.node(0).state).toBe('paused');
      const ping = (): Promise<unknown> => askRedis({ at: redis.address, user: redis.admin }, ['PING'], 300);
      await expect(ping()).rejects.toThrow('did not answer');
      await redis.resume();
      expect(await redis.ask('PING')).toBe('PONG');
      await redis.kill();
      expect(redis.node(0).state).toBe('down');
      await expect(ping()).rejects.toThrow();
      await redis.start();
      expect(await redis.ask('GET', 'key')).toBe('kept');
      await redis.pause();
      await redis.restart();
      expect(await redis.ask('GET', 'key')).toBe('kept');
    } finally {
      await redis.stop();
    }
    expect(await containersOf(client)).toBe(containersBefore);
  }, 300_000);

  it('runs TLS, or says why not', async () => {
    if ((await engine('redis:7')) === undefined) return;
    const redis = await startRedis({ server: 'redis-7', tls: 'mutual', report });
    try {
      const { ca = '', clientCertificate: cert = '', clientKey: key = '', address } = redis.tls ?? {};
      const at = address ?? redis.address;
      expect(await askRedis({ at, tls: { ca, cert, key } }, ['PING'], 2_000)).toBe('PONG');
    } finally {
      await redis.stop();
    }
  }, 300_000);

  it('runs Sentinel and Cluster at addresses that nodes and clients share, or says why not', async () => {
    if ((await engine()) === undefined) return;
    const sentinel = await startRedisSentinel({ report });
    try {
      await (await sentinel.master()).kill();
      await sentinel.settled();
      expect(await sentinel.master()).toBe(sentinel.node(1));
      await sentinel.node(0).start();
      await sentinel.settled();
    } finally {
      await sentinel.stop();
    }
    const cluster = await startRedisCluster({ report });
    try {
      await cluster.moveSlot(0, cluster.node(1));
      expect(await cluster.ownerOf(0)).toBe(cluster.node(1));
    } finally {
      await cluster.stop();
    }
  }, 300_000);

  it('leaves what it cannot do to other providers', async () => {
    const unix = startRedis({ unixSocket: true, report });
    await expect(unix).rejects.toThrow('a Unix socket is not reached from outside a container');
  });
});

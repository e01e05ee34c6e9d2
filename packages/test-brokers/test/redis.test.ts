import { readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type RunningRedis, startRedis } from '../src/index.js';
import { isFree } from '../src/ports.js';
import { askRedis } from '../src/redis/ask.js';
import { isRunning, natively } from './native.js';

describe('a Redis of one node', () => {
  const lines: string[] = [];
  let redis: RunningRedis;

  beforeAll(async () => {
    redis = await natively(() =>
      startRedis({
        durable: true,
        maxMemoryMb: 64,
        config: ['hz 50'],
        unixSocket: true,
        report: (line) => lines.push(line),
      }),
    );
  }, 120_000);
  afterAll(() => redis.stop());

  const unanswered = (): Promise<unknown> => askRedis({ at: redis.address }, ['PING'], 300);

  it('serves when startRedis resolves, and tells what was started and why so', async () => {
    expect(await redis.ask('PING')).toBe('PONG');
    expect(redis.provider).toBe('native');
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.address.port}`);
    expect(lines.at(-1)).toMatch(
      /^(Redis|Valkey) \d\S+ at 127\.0\.0\.1:\d+: native, since .*, ready in \d+\.\d s$/,
    );
    expect(redis.logs()).toContain('Ready to accept connections');
  });

  it('has the settings that were asked for, and those of a durable Redis', async () => {
    const settings = ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy', 'hz'];
    const found = await Promise.all(settings.map((name) => redis.ask('CONFIG', 'GET', name)));
    expect(Object.fromEntries(found as [string, string][])).toEqual({
      appendonly: 'yes',
      appendfsync: 'always',
      maxmemory: String(64 * 1024 * 1024),
      'maxmemory-policy': 'noeviction',
      hz: '50',
    });
    expect(await askRedis({ at: { path: redis.socketPath ?? '' } }, ['PING'], 1_000)).toBe('PONG');
  });

  it('answers nothing while it is paused, and goes on when it is resumed', async () => {
    await redis.pause();
    expect(redis.node(0).state).toBe('paused');
    await expect(unanswered()).rejects.toThrow('did not answer');
    await redis.resume();
    expect(redis.node(0).state).toBe('running');
    expect(await redis.ask('PING')).toBe('PONG');
  });

  it('keeps its data and its address when it is killed and started', async () => {
    await redis.ask('SET', 'killed', 'kept');
    const { address } = redis;
    const { pid = 0 } = redis.node(0);
    await redis.kill();
    expect(redis.node(0).state).toBe('down');
    expect(await isRunning(pid)).toBe(false);
    await expect(unanswered()).rejects.toThrow('ECONNREFUSED');
    await redis.start();
    expect(redis.address).toEqual(address);
    expect(redis.node(0).pid).not.toBe(pid);
    expect(await redis.ask('GET', 'killed')).toBe('kept');
  });

  it('keeps its data when it is paused and then restarted in good order', async () => {
    await redis.ask('SET', 'restarted', 'kept');
    await redis.pause();
    await redis.restart();
    expect(redis.node(0).state).toBe('running');
    expect(await redis.ask('GET', 'restarted')).toBe('kept');
    expect(lines.filter((line) => line.includes('did not end'))).toEqual([]);
  });

  it('leaves neither process, port nor file when it is stopped, and stays stopped', async () => {
    const { pid = 0 } = redis.node(0);
    const folder = (await readlink(`/proc/${pid}/cwd`)).split('/').at(-2) ?? '';
    expect(await readdir(tmpdir())).toContain(folder);
    await redis.pause();
    await redis.stop();
    await redis.stop();
    expect(await isRunning(pid)).toBe(false);
    expect(await isFree(redis.address.port)).toBe(true);
    expect(await readdir(tmpdir())).not.toContain(folder);
    await expect(redis.start()).rejects.toMatchObject({ code: 'STOPPED' });
  });
});

describe('a Redis that was not asked to be durable', () => {
  it('writes nothing to the disk, and starts empty', async () => {
    await using redis = await natively(() => startRedis({ report: () => {} }));
    await redis.ask('SET', 'key', 'lost');
    await redis.kill();
    await redis.start();
    expect(await redis.ask('DBSIZE')).toBe(0);
    expect(await redis.ask('CONFIG', 'GET', 'save')).toEqual(['save', '']);
  });
});

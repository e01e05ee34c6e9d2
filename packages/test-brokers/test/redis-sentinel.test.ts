import { type RunningRedisSentinel, startRedisSentinel } from '../src/index.js';
import { isRunning, natively } from './native.js';

describe('a Redis watched by sentinels', () => {
  let redis: RunningRedisSentinel;
  beforeAll(async () => {
    const users = [{ username: 'alice', password: 'alice-secret' }];
    redis = await natively(() => startRedisSentinel({ durable: true, users, report: () => {} }));
  }, 120_000);
  afterAll(() => redis.stop());

  it('has a master, a replica and three sentinels that know each other when it resolves', async () => {
    expect(redis.addresses).toEqual(redis.nodes.map(({ address }) => address));
    expect(redis.sentinelAddresses).toHaveLength(3);
    expect(await redis.master()).toBe(redis.node(0));
    for (const sentinel of redis.sentinels) {
      expect(await sentinel.ask('SENTINEL', 'REPLICAS', redis.masterName)).toHaveLength(1);
      expect(await sentinel.ask('SENTINEL', 'SENTINELS', redis.masterName)).toHaveLength(2);
    }
  });

  it('goes on with the replica when the master is killed, and takes the old master back', async () => {
    await redis.node(0).ask('SET', 'key', 'kept');
    expect(await redis.node(0).ask('WAIT', '1', '5000')).toBe(1);
    await redis.node(0).kill();
    await redis.settled();
    expect(await redis.master()).toBe(redis.node(1));
    expect(await redis.node(1).ask('GET', 'key')).toBe('kept');
    await redis.node(1).ask('SET', 'key', 'newer');
    await redis.node(0).start();
    await redis.settled();
    expect(await redis.node(0).ask('ROLE')).toContain('slave');
    expect(await redis.node(0).ask('GET', 'key')).toBe('newer');
  }, 60_000);

  it('goes on with the replica when the master is frozen', async () => {
    const master = await redis.master();
    await master.pause();
    await redis.settled();
    expect(await redis.master()).not.toBe(master);
    await master.resume();
    await redis.settled();
    expect(await master.ask('ROLE')).toContain('slave');
  }, 60_000);

  it('keeps its data when all of it is killed and started, and ends as a whole', async () => {
    const all = [...redis.nodes, ...redis.sentinels];
    await redis.kill();
    expect(all.map(({ state }) => state)).toEqual(Array(5).fill('down'));
    await redis.start();
    expect(await redis.node(0).ask('GET', 'key')).toBe('newer');
    const pids = all.map(({ pid = 0 }) => pid);
    await redis.stop();
    expect(await Promise.all(pids.map(isRunning))).toEqual(Array(5).fill(false));
  }, 60_000);
});

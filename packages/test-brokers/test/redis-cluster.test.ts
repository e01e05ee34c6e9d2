import { type RunningRedisCluster, startRedisCluster } from '../src/index.js';
import { isRunning, natively } from './native.js';

describe('a Redis cluster', () => {
  let redis: RunningRedisCluster;
  beforeAll(async () => {
    redis = await natively(() => startRedisCluster({ durable: true, report: () => {} }));
  }, 120_000);
  afterAll(() => redis.stop());

  const slotOf = async (key: string): Promise<number> => Number(await redis.ask('CLUSTER', 'KEYSLOT', key));

  it('serves every slot from three masters, each with a replica, when it resolves', async () => {
    expect(redis.addresses).toEqual(redis.nodes.map(({ address }) => address));
    const masters = await redis.masters();
    expect(masters).toEqual(redis.nodes.slice(0, 3));
    for (const master of masters) expect(await redis.replicasOf(master)).toHaveLength(1);
    for (const node of redis.nodes) {
      const info = String(await node.ask('CLUSTER', 'INFO'));
      expect(info).toContain('cluster_state:ok');
      expect(info).toContain('cluster_slots_ok:16384');
      expect(info).toContain('cluster_known_nodes:6');
    }
    expect(await redis.ownerOf(0)).toBe(redis.node(0));
    expect(await redis.ownerOf(16_383)).toBe(redis.node(2));
  });

  it("is administered as a whole: what is each node's own is said to each", async () => {
    await redis.administer(['redis-cli', 'ACL', 'SETUSER', 'bob', 'on', '>secret', '~*', '+get']);
    for (const node of redis.nodes) expect(await node.ask('ACL', 'USERS')).toContain('bob');
  });

  it('moves a slot with its keys to another master, which every node then knows', async () => {
    const slot = await slotOf('{moved}');
    const from = await redis.ownerOf(slot);
    const to = (await redis.masters()).find((node) => node !== from) ?? from;
    for (const key of ['{moved}1', '{moved}2']) await from.ask('SET', key, 'kept');
    const steps: number[] = [];
    await redis.moveSlot(slot, to, async (movedKeys) => {
      steps.push(movedKeys);
      // What is not there is asked for at the new owner while the slot is on the move.
      await expect(from.ask('GET', '{moved}never')).rejects.toThrow(/^ASK /);
    });
    expect(steps).toEqual([0, 1, 2]);
    expect(await redis.ownerOf(slot)).toBe(to);
    expect(await to.ask('GET', '{moved}2')).toBe('kept');
    for (const node of redis.nodes.filter((one) => one !== to)) {
      await expect(node.ask('GET', '{moved}1')).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${to.address.port}`);
    }
  });

  it('goes on with the replica when a master is killed, and takes the old master back', async () => {
    const slot = await slotOf('failing');
    const master = await redis.ownerOf(slot);
    const [replica] = await redis.replicasOf(master);
    await master.ask('SET', 'failing', 'kept');
    await redis.settled();
    await master.kill();
    await redis.settled();
    expect(await redis.ownerOf(slot)).toBe(replica);
    expect(await replica?.ask('GET', 'failing')).toBe('kept');
    await master.start();
    await redis.settled();
    expect(await redis.replicasOf(await redis.ownerOf(slot))).toEqual([master]);
  }, 60_000);

  it('keeps its data when all of it is killed and started, and ends as a whole', async () => {
    await redis.kill();
    await redis.start();
    const owner = await redis.ownerOf(await slotOf('failing'));
    expect(await owner.ask('GET', 'failing')).toBe('kept');
    const pids = redis.nodes.map(({ pid = 0 }) => pid);
    await redis.stop();
    expect(await Promise.all(pids.map(isRunning))).toEqual(Array(6).fill(false));
  }, 60_000);
});

import {
  check,
  consumeSpec,
  explain,
  History,
  isClean,
  RecordingSink,
  records,
  sendAll,
  uniqueName,
} from '@omnibus/conformance-tests';
import { type RunningRedisCluster, startRedisCluster } from '@omnibus/test-brokers';
import { listGroups, RedisEventBus, removeGroup } from '../src/index.js';
import { killBehindBackOf } from './support/fail-over.js';
import { consumeRecorded, Load } from './support/load.js';
import { Opener, until } from './support/redis.js';

jest.setTimeout(240_000);

const opener = new Opener();
let redis: RunningRedisCluster;

beforeAll(async () => {
  // A machine that is slow is not to be taken for a node that is lost.
  redis = await startRedisCluster({ durable: true, failureAfterMs: 4_000 });
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const load of loads.splice(0)) load.abandon();
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 1_000 })));
  await opener.close();
});

const PARTITIONS = [0, 1, 2, 3, 4, 5];
const buses: RedisEventBus[] = [];
const loads: Load[] = [];
const nodes = (): string[] => redis.addresses.map(({ host, port }) => `${host}:${port}`);
const open = (): ReturnType<Opener['open']> =>
  opener.open({ partitions: PARTITIONS.length, cluster: { nodes: nodes() }, leaseMs: 30_000 });

describe('a Cluster', () => {
  test('partitions lie on several nodes; publishing, consuming, lag, history, dead letters and groups go on all of them', async () => {
    const { transport, settings } = await open();
    const group = uniqueName();
    const sink = new RecordingSink('sink', false);
    const consumption = await transport.consume(consumeSpec(group), sink);
    for (const partition of PARTITIONS) await sendAll(transport, records(partition, 20));
    await until('all records', () => sink.delivered.length >= 20 * PARTITIONS.length);
    for (const partition of PARTITIONS) {
      expect(sink.values(partition)).toEqual(
        records(partition, 20).map(({ value }) => Buffer.from(value).toString()),
      );
      const { delivered, port } = sink.current(partition);
      await port.deadLetter(delivered[0] as never, records(partition, 1)[0] as never);
      sink.current(partition).settle(19);
      await port.flush();
    }
    expect((await transport.lag(group)).map(({ lag }) => lag)).toEqual(PARTITIONS.map(() => 1));
    const letters: string[] = [];
    for await (const page of transport.deadLetters.read({ group, after: undefined, pageSize: 4 }))
      letters.push(...page.map(({ record }) => String(record.value)));
    expect(letters.sort()).toEqual(PARTITIONS.map((partition) => `${partition}/0`));
    const history = await transport.history.open({
      from: { kind: 'beginning' },
      until: { kind: 'now' },
      signal: undefined,
    });
    let read = 0;
    for await (const { records: batch } of history.batches) read += batch.length;
    expect(read).toBe(20 * PARTITIONS.length);
    const options = { cluster: { nodes: nodes() }, streamPrefix: settings.streamPrefix };
    await expect(removeGroup(options, group)).rejects.toMatchObject({ code: 'BROKER' });
    await consumption.stop(1_000);
    expect(await listGroups(options)).toMatchObject([{ name: group, members: [], lag: PARTITIONS.length }]);
    expect(await removeGroup(options, group)).toBe(true);
    expect(await listGroups(options)).toEqual([]);
  });
});

const GROUP = 'group';

/** Two consumers and a publisher that does not rest, each a bus of its own. */
class Work {
  readonly streamPrefix = uniqueName('load');
  readonly history = new History();
  private readonly options = {
    cluster: { nodes: nodes() },
    streamPrefix: this.streamPrefix,
    partitions: PARTITIONS.length,
    group: GROUP,
    leaseMs: 4_000,
    heartbeatIntervalMs: 300,
    durability: { replicas: 1 },
  };

  async start(): Promise<Load> {
    for (const consumer of ['first', 'second'])
      await consumeRecorded(this.bus(consumer), this.history, { group: GROUP, consumer });
    const load = this.publishes('one');
    await goesOn(load);
    return load;
  }

  publishes(name: string): Load {
    const load = new Load(this.bus(name), this.history, name);
    loads.push(load);
    return load;
  }

  /** Waits until nothing is left, and fails when something that was confirmed is lost, or out of order. */
  async expectNoLoss(): Promise<void> {
    const publisher = buses[buses.length - 1] as RedisEventBus;
    await until('everything to be handled', async () => (await publisher.lag()).total === 0, 60_000);
    const report = check(this.history, { group: GROUP });
    if (!isClean(report, ['duplicated'])) throw new Error(explain(report, this.history));
    expect(report.handled).toBe(report.published);
  }

  private bus(consumerName: string): RedisEventBus {
    const bus = new RedisEventBus({ ...this.options, consumerName });
    buses.push(bus);
    return bus;
  }
}

/** Waits until more was confirmed. */
async function goesOn(load: Load): Promise<void> {
  const before = load.confirmed;
  await until('the publisher to go on', () => load.confirmed >= before + 3, 90_000);
}

describe('a Cluster under load, with a replica that each publish waits for', () => {
  test('the slots of partitions move to other nodes: nothing is lost, order holds, and the work goes on', async () => {
    const work = new Work();
    const load = await work.start();
    for (const partition of [0, 1, 2]) {
      const stream =
        partition === 0 ? `${work.streamPrefix}:stream` : `${work.streamPrefix}:stream:${partition}`;
      const slot = Number(await redis.ask('CLUSTER', 'KEYSLOT', stream));
      const owner = await redis.ownerOf(slot);
      const masters = await redis.masters();
      const next = masters[(masters.indexOf(owner) + 1) % masters.length] ?? owner;
      await redis.moveSlot(slot, next);
      await goesOn(load);
    }
    await load.stop();
    await work.expectNoLoss();
  });

  test('a master is killed and its replica takes over: nothing confirmed is lost, order holds, and the work goes on', async () => {
    const work = new Work();
    await work.start();
    const stream = `${work.streamPrefix}:stream`;
    const slot = Number(await redis.ask('CLUSTER', 'KEYSLOT', stream));
    const master = await redis.ownerOf(slot);
    const [replica] = await redis.replicasOf(master);
    if (!replica) throw new Error('The master has no replica');
    await killBehindBackOf(replica, master, stream, () => work.publishes('another'));
    await redis.settled();
    expect(await redis.ownerOf(slot)).toBe(replica);
    // It was the only replica: until the old master is back as one, nothing has a second copy.
    await master.start();
    await redis.settled();
    await Promise.all(loads.map(goesOn));
    await Promise.all(loads.map((each) => each.stop()));
    await work.expectNoLoss();
  });
});

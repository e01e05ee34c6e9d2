import { orderPlaced } from '@omnibus/conformance-tests';
import { NonRetryableError } from '@omnibus/core';
import { type RunningRedisCluster, startRedisCluster } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../scripts/lib/documented-commands.cjs';
import { RedisEventBus } from '../src/index.js';
import { until } from './support/redis.js';

const ADMINISTRATOR = 'administrator';
const EVENTS = 20;

let redis: RunningRedisCluster;
const buses: RedisEventBus[] = [];

beforeAll(async () => {
  redis = await startRedisCluster({
    users: [{ username: ADMINISTRATOR, password: `${ADMINISTRATOR}-secret` }],
  });
  // The document says what is different in a Cluster.
  for (const role of ['publisher', 'consumer', 'operator'])
    for (const command of documentedCommands(`redis ${role}`)) {
      const words = command.map((word) => word.replaceAll('~events:stream_dlq', '~{events:stream*}:dlq'));
      await redis.administer([...words, '+cluster|slots', '+cluster|info']);
    }
  await busOf(ADMINISTRATOR).ensureGroup();
}, 60_000);
afterEach(() => Promise.all(buses.splice(0).map((bus) => bus.shutdown())));
afterAll(() => redis.stop());

function busOf(username: string): RedisEventBus {
  const bus = new RedisEventBus({
    cluster: { nodes: redis.addresses.map(({ host, port }) => `${host}:${port}`) },
    security: { credentials: { username, password: `${username}-secret` } },
    group: 'billing',
  });
  buses.push(bus);
  return bus;
}

test('the rights in docs/security.md are enough in a Cluster', async () => {
  await busOf('publisher').publish(Array.from({ length: EVENTS }, (_, index) => orderPlaced(index)));
  const consumer = busOf('billing');
  consumer.subscribeToAllEvents(() => {
    throw new NonRetryableError('no such order');
  });
  await consumer.startConsuming();
  await until('the dead letters', () => consumer.stats.messagesSentToDlq === EVENTS);
  await until('no lag', async () => (await consumer.lag()).total === 0);
  await consumer.shutdown();
  const operator = busOf('operator');
  expect(await operator.deadLetters.replay({ aggregateId: 'order-1' })).toBe(1);
  expect(await operator.deadLetters.purge({ aggregateId: 'order-2' })).toBe(1);
  expect(await operator.deadLetters.count()).toBe(EVENTS - 2);
  expect((await operator.lag()).total).toBe(1);
});

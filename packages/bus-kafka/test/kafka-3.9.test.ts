import { createEvent, type DomainEvent } from '@omnibus/core';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { Kafka } from 'kafkajs';
import { KafkaEventBus } from '../src/index.js';
import { uniqueName, until } from './support/kafka.js';

/*
 * The oldest Kafka that is supported. All other tests run on the newest; this one sees that nothing which the bus says is
 * too new for the other end.
 */

let kafka: RunningKafka;
const buses: KafkaEventBus[] = [];

beforeAll(async () => {
  kafka = await startKafka({ version: '3.9.1' });
}, 240_000);
afterAll(() => kafka?.stop());
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 1_000 })));
});

function busOf(topicPrefix: string, group: string): KafkaEventBus {
  const bus = new KafkaEventBus({
    brokers: kafka.brokers,
    topicPrefix,
    group,
    partitions: 4,
    compression: 'gzip',
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 300,
    retry: { maxRetries: 1, baseDelayMs: 1 },
  });
  buses.push(bus);
  return bus;
}

function events(count: number, firstVersion = 1): DomainEvent[] {
  return Array.from({ length: count }, (_, i) =>
    createEvent({
      eventType: 'Counted',
      aggregateType: 'Counter',
      aggregateId: `counter-${i % 8}`,
      aggregateVersion: firstVersion + Math.floor(i / 8),
      data: { broken: false },
    }),
  );
}

test('publishes, shares the work, replays dead letters and history, and recovers a deleted topic', async () => {
  // Brokers that were found at an address do not say.
  expect(['3.9.1', 'unknown']).toContain(kafka.version);
  const topicPrefix = uniqueName('topic');
  const group = uniqueName();
  const handled = new Map<string, number[]>();
  const take = ({ aggregateId, aggregateVersion, data }: DomainEvent): void => {
    if ((data as { broken: boolean }).broken && !fixed) throw new Error('not yet');
    handled.set(aggregateId, [...(handled.get(aggregateId) ?? []), aggregateVersion]);
  };
  let fixed = false;
  const count = (): number => [...handled.values()].flat().length;

  const first = busOf(topicPrefix, group);
  first.subscribeToAllEvents(take);
  await first.startConsuming();
  await first.publish(events(80));
  await until('the first eighty', () => count() === 80);

  // A second process takes half of the partitions, under load, and leaves again.
  const second = busOf(topicPrefix, group);
  second.subscribeToAllEvents(take);
  await second.startConsuming();
  let versions = 10;
  await until('the second to handle something', async () => {
    versions += 1;
    await first.publish(events(8, versions));
    await until('what was published', () => count() === versions * 8);
    return second.stats.eventsConsumed > 0;
  });
  await second.shutdown();
  for (const seen of handled.values())
    expect(seen).toEqual(Array.from({ length: versions }, (_, i) => i + 1));

  const [broken] = events(1, 1_000).map((event) => ({ ...event, data: { broken: true } }));
  await first.publish(broken as DomainEvent);
  await until('the dead letter', async () => (await first.deadLetters.count()) === 1);
  fixed = true;
  expect(await first.deadLetters.replay({})).toBe(1);
  await until('what was replayed', () => handled.get('counter-0')?.at(-1) === 1_000);
  expect(await first.deadLetters.count()).toBe(0);
  await until('the group to be up to date', async () => (await first.lag()).total === 0);

  const again: string[] = [];
  await first.replay({
    from: 'beginning',
    handler: ({ aggregateId, aggregateVersion }) => void again.push(`${aggregateId}/${aggregateVersion}`),
  });
  expect(new Set(again).size).toBe(versions * 8 + 1);

  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [`${topicPrefix}.stream`] });
  await admin.disconnect();
  handled.clear();
  await first.publish(events(2_000, 2_000));
  await until('what was published after the topic was deleted', () => count() >= 2_000, 30_000);
  for (const seen of handled.values()) expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => 2_000 + i));
}, 90_000);

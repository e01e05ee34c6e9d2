import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DeadLetter } from '@omnibus/core';
import kafkajs, { type IHeaders, type Message, type Producer } from 'kafkajs';
import { KafkaEventBus } from '../src/kafka-event-bus.js';
import { sharedBrokers, until } from './support/kafka.js';

const buses: KafkaEventBus[] = [];
let producer: Producer;

beforeAll(async () => {
  producer = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).producer();
  await producer.connect();
});
afterAll(() => producer.disconnect());
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 1_000 })));
});

interface Victim {
  readonly bus: KafkaEventBus;
  readonly topic: string;
  readonly handled: string[];
  readonly told: string[];
}

async function victim(): Promise<Victim> {
  const topicPrefix = uniqueName('topic');
  const bus = new KafkaEventBus({ brokers: sharedBrokers(), topicPrefix, group: 'victim', partitions: 1 });
  buses.push(bus);
  const handled: string[] = [];
  const told: string[] = [];
  void (async () => {
    for await (const status of bus.status()) if ('error' in status) told.push(status.error.message);
  })();
  bus.subscribeToAllEvents(({ eventId }) => void handled.push(eventId));
  await bus.startConsuming();
  return { bus, topic: `${topicPrefix}.stream`, handled, told };
}

/** Writes what is no event, gzipped, then publishes one: it must be handled, and the other a dead letter. */
async function attack({ bus, topic, handled }: Victim, ...messages: Message[]): Promise<DeadLetter> {
  await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
  const good = createEvent({ eventType: 'Good', aggregateType: 'Order', aggregateId: 'a', data: {} });
  await bus.publish(good);
  await until('the event behind it', () => handled.includes(good.eventId), 20_000);
  await until('the dead letter', () => bus.stats.messagesSentToDlq >= 1);
  for await (const letter of bus.deadLetters.list()) return letter;
  throw new Error('there is no dead letter');
}

describe('hostile records', () => {
  test('a record that unpacks to more than may be published again', async () => {
    const letter = await attack(await victim(), { value: Buffer.alloc(20_000_000) });
    expect(letter.reason).toBe('deserialization');
    expect(letter.errorMessage).toMatch(/20000000 bytes/);
    expect(letter.raw.byteLength).toBeLessThan(1_100_000);
  });

  test('a batch that unpacks to more than a process should hold', async () => {
    const one = await victim();
    const letter = await attack(one, { key: 'bomb', value: Buffer.alloc(200_000_000) });
    expect(letter.reason).toBe('deserialization');
    expect(letter.errorMessage).toMatch(/unpacks to more than 134217728/);
    // The batch as it is stored.
    expect(letter.raw.byteLength).toBeLessThan(300_000);
  });

  test('many such batches at once do not add up', async () => {
    const one = await victim();
    const bombs = Array.from({ length: 12 }, () => ({ value: Buffer.alloc(60_000_000) }));
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 5);
    // Twelve batches, not one.
    for (const bomb of bombs.slice(1))
      await producer.send({ topic: one.topic, messages: [bomb], compression: kafkajs.CompressionTypes.GZIP });
    await attack(one, bombs[0] as Message);
    await until('all dead letters', () => one.bus.stats.messagesSentToDlq === 12);
    clearInterval(watch);
    expect(most - before).toBeLessThan(600_000_000);
  });

  test('one header a hundred thousand times', async () => {
    const headers: IHeaders = { same: Array.from({ length: 100_000 }, () => 'x') };
    const letter = await attack(await victim(), { value: 'no event', headers });
    expect(letter.errorMessage).toMatch(/100000 headers/);
    expect(String(letter.raw)).toBe('no event');
  });

  test('a key as long as a batch', async () => {
    const letter = await attack(await victim(), {
      key: Buffer.alloc(20_000_000, 'k'),
      value: 'no event',
      partition: 0,
    });
    expect(letter.errorMessage).toMatch(/key has 20000000/);
    expect(letter.key).toBeUndefined();
  });
});

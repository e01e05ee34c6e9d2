import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEvent, type DomainEvent } from '@omnibus/core';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { KafkaEventBus } from '../src/index.js';
import { sharedBrokers, uniqueName, until } from './support/kafka.js';

/** What eventsource-py 0.15.1 really wrote. */
interface Recorded {
  readonly key: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly value: string;
}
const { kafka: recorded } = JSON.parse(
  readFileSync(join(__dirname, 'fixtures', 'eventsource-py-0.15.1.json'), 'utf8'),
) as {
  readonly kafka: { readonly stream: readonly Recorded[]; readonly dlq: readonly Recorded[] };
};

const client = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 });
const buses: KafkaEventBus[] = [];

function bus(topicPrefix: string): KafkaEventBus {
  const created = new KafkaEventBus({
    brokers: sharedBrokers(),
    topicPrefix,
    partitions: 2,
    group: uniqueName('group'),
    heartbeatIntervalMs: 300,
    sessionTimeoutMs: 6_000,
  });
  buses.push(created);
  return created;
}

afterEach(async () => {
  await Promise.all(buses.splice(0).map((each) => each.shutdown()));
});

async function produce(topic: string, messages: readonly Recorded[]): Promise<void> {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({
    topic,
    messages: messages.map(({ key, headers, value }) => ({
      key,
      value,
      headers: Object.fromEntries(headers),
    })),
  });
  await producer.disconnect();
}

async function read(topic: string, count: number): Promise<KafkaMessage[]> {
  const consumer = client.consumer({ groupId: uniqueName('reader') });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: KafkaMessage[] = [];
  await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void found.push(message)) });
  await until(`${count} messages of ${topic}`, () => found.length >= count);
  await consumer.disconnect();
  return found;
}

describe('the wire format of eventsource-py', () => {
  test('what it published is handled, each event in the order of its aggregate', async () => {
    const topicPrefix = uniqueName('topic');
    const reading = bus(topicPrefix);
    const handled: DomainEvent[] = [];
    reading.subscribeToAllEvents((event) => void handled.push(event));
    await reading.startConsuming();
    await produce(`${topicPrefix}.stream`, recorded.stream);
    await until('all of them', () => handled.length === recorded.stream.length);
    expect(handled.map(({ eventId, aggregateVersion }) => [eventId, aggregateVersion])).toEqual(
      recorded.stream.map(({ value }) => {
        const { event_id, aggregate_version } = JSON.parse(value) as {
          event_id: string;
          aggregate_version: number;
        };
        return [event_id, aggregate_version];
      }),
    );
    expect(handled[0]).toMatchObject({
      eventType: 'OrderPlaced',
      aggregateType: 'Order',
      data: { customer: 'Zoë – 東京', total: 42.5, note: 'plain' },
    });
    expect(reading.stats.messagesSentToDlq).toBe(0);
  });

  test('its dead letters are listed with what it says about them', async () => {
    const topicPrefix = uniqueName('topic');
    const reading = bus(topicPrefix);
    await reading.connect();
    await produce(`${topicPrefix}.stream.dlq`, recorded.dlq);
    const letters = [];
    for await (const letter of reading.deadLetters.list({ group: '*' })) letters.push(letter);
    expect(letters).toHaveLength(recorded.dlq.length);
    expect(letters[0]).toMatchObject({
      group: 'billing',
      eventType: 'OrderPlaced',
      errorType: 'ValueError',
      errorMessage: 'handler says no',
      source: { destination: 'events.stream', partition: 3, position: '2' },
    });
    expect(Buffer.from(letters[0]?.raw ?? []).toString()).toBe(recorded.dlq[0]?.value);
  });

  test('what is published has its shape: key, body and headers, byte for byte', async () => {
    const topicPrefix = uniqueName('topic');
    const publishing = bus(topicPrefix);
    const first = JSON.parse(recorded.stream[0]?.value ?? '{}') as Readonly<Record<string, string>>;
    const {
      event_id = '',
      occurred_at = '',
      aggregate_id = '',
      correlation_id = '',
      customer,
      total,
      note,
    } = first;
    await publishing.publish(
      createEvent({
        eventId: event_id,
        eventType: 'OrderPlaced',
        occurredAt: new Date(occurred_at),
        occurredAtExact: occurred_at,
        aggregateId: aggregate_id,
        aggregateType: 'Order',
        correlationId: correlation_id,
        data: { customer, total, note },
      }),
    );
    const [message] = await read(`${topicPrefix}.stream`, 1);
    expect(message?.key?.toString()).toBe(recorded.stream[0]?.key);
    expect(message?.value?.toString()).toBe(recorded.stream[0]?.value);
    const headers = Object.fromEntries(
      Object.entries(message?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toMatchObject({ event_id, event_type: 'OrderPlaced' });
  });

  test('a header without a value, or named like a part of every object, becomes neither an error nor a stall', async () => {
    const topicPrefix = uniqueName('topic');
    const reading = bus(topicPrefix);
    const headersSeen: Readonly<Record<string, string>>[] = [];
    reading.subscribeToAllEvents((_event, { headers }) => void headersSeen.push(headers));
    await reading.startConsuming();
    const [first] = recorded.stream as [Recorded];
    await produce(`${topicPrefix}.stream`, [
      { ...first, headers: [...first.headers, ['constructor', 'c'], ['toString', 't'], ['empty', '']] },
    ]);
    await until('it', () => headersSeen.length === 1);
    expect(headersSeen[0]).toMatchObject({
      event_type: 'OrderPlaced',
      constructor: 'c',
      toString: 't',
      empty: '',
    });
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DeadLetter, type DomainEvent } from '@omnibus/core';
import type { ConsumeMessage } from 'amqplib';
import { RabbitMQEventBus } from '../src/index.js';
import { Outsider, sharedUrls, until } from './support/rabbitmq.js';

/** What eventsource-py 0.15.1 really wrote. */
interface Recorded {
  readonly routing_key: string;
  readonly properties: Readonly<Record<string, string | number | null>>;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}
const { rabbitmq: recorded } = JSON.parse(
  readFileSync(join(__dirname, 'fixtures', 'eventsource-py-0.15.1.json'), 'utf8'),
) as { readonly rabbitmq: { readonly stream: readonly Recorded[]; readonly dlq: readonly Recorded[] } };

const outsider = new Outsider();
const buses: RabbitMQEventBus[] = [];

function busOn(exchange: string, group = 'billing'): RabbitMQEventBus {
  const bus = new RabbitMQEventBus({
    urls: sharedUrls(),
    exchange,
    group,
    partitions: 1,
    presenceIntervalMs: 200,
    retry: { maxRetries: 0 },
  });
  buses.push(bus);
  return bus;
}

async function write(exchange: string, routingKey: string, message: Recorded): Promise<void> {
  const { properties, headers, body } = message;
  const seconds = Date.parse(String(properties.timestamp)) / 1_000;
  await outsider.publish(exchange, routingKey, body, {
    contentType: properties.content_type,
    contentEncoding: properties.content_encoding,
    messageId: properties.message_id,
    ...(Number.isNaN(seconds) ? {} : { timestamp: seconds }),
    headers,
  });
}

/** A queue as eventsource-py has one for a group of its own. */
async function listen(exchange: string): Promise<ConsumeMessage[]> {
  const channel = await (await outsider.open()).createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, exchange, '#');
  const seen: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message && seen.push(message), { noAck: true });
  return seen;
}

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown()));
});
afterAll(() => outsider.close());

describe('eventsource-py on the same exchange', () => {
  test('what it published is handled', async () => {
    const exchange = uniqueName('wire');
    const bus = busOn(exchange);
    const events: DomainEvent[] = [];
    bus.subscribeToAllEvents((event) => void events.push(event));
    await bus.startConsuming();
    for (const message of recorded.stream) await write(exchange, message.routing_key, message);
    await until('its events', () => events.length === recorded.stream.length);
    expect(events[0]).toMatchObject({
      eventId: '11111111-1111-4111-8111-111111111111',
      aggregateId: '00000000-0000-4000-8000-00000000000a',
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
      data: { customer: 'Zoë – 東京', total: 42.5 },
    });
    expect(events[1]).toMatchObject({ actorId: 'user:7', metadata: { source: 'web', n: 1 } });
  });

  test('what we publish has its routing key in front, its properties and its headers', async () => {
    const exchange = uniqueName('wire');
    const bus = busOn(exchange);
    await bus.connect();
    const seen = await listen(exchange);
    const [template] = recorded.stream as readonly [Recorded, ...Recorded[]];
    const id = '22222222-2222-4222-8222-222222222222';
    const event = createEvent({
      eventType: 'OrderPlaced',
      aggregateType: 'Order',
      aggregateId: 'order-1',
      aggregateVersion: 3,
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
      correlationId: id,
      data: { total: 1 },
    });
    await bus.publish(event);
    await until('the event', () => seen.length === 1);
    const [{ fields, properties, content }] = seen as unknown as readonly [ConsumeMessage];
    expect(fields.routingKey).toBe('Order.OrderPlaced.p0');
    expect(properties).toMatchObject({
      contentType: template.properties.content_type,
      contentEncoding: template.properties.content_encoding,
      deliveryMode: template.properties.delivery_mode,
      messageId: event.eventId,
      timestamp: Date.parse('2026-01-02T03:04:05Z') / 1_000,
    });
    expect(properties.headers).toMatchObject({
      aggregate_id: 'order-1',
      aggregate_type: 'Order',
      aggregate_version: 3,
      correlation_id: id,
      event_type: 'OrderPlaced',
      'x-retry-count': 0,
    });
    for (const name of Object.keys(template.headers)) expect(properties.headers).toHaveProperty([name]);
    const body = JSON.parse(content.toString()) as object;
    const {
      customer: _,
      total: __,
      note: ___,
      ...envelope
    } = JSON.parse(template.body) as Record<string, unknown>;
    for (const name of Object.keys(envelope)) expect(body).toHaveProperty([name]);
  });

  test('its dead letters are listed, with what it says about them, and replayed into their group', async () => {
    const exchange = uniqueName('wire');
    const bus = busOn(exchange);
    const handled: DomainEvent[] = [];
    bus.subscribeToAllEvents((event) => void handled.push(event));
    await bus.startConsuming();
    for (const message of recorded.dlq) await write(`${exchange}_dlq`, `${exchange}.billing`, message);
    await until('its dead letters', async () => (await bus.deadLetters.count()) === recorded.dlq.length);
    const letters: DeadLetter[] = [];
    for await (const letter of bus.deadLetters.list({})) letters.push(letter);
    expect(letters.map(({ event }) => event?.eventId)).toEqual(
      recorded.dlq.map(({ properties }) => properties.message_id),
    );
    expect(letters[0]).toMatchObject({
      group: 'billing',
      reason: 'max-retries',
      errorType: 'ValueError',
      errorMessage: 'handler says no',
      attempts: 2,
      deadLetteredAt: new Date('2026-11-23T23:20:38.382Z'),
    });
    expect(await bus.deadLetters.replay({})).toBe(recorded.dlq.length);
    await until('the replayed events', () => handled.length === recorded.dlq.length);
    expect(await bus.deadLetters.count()).toBe(0);
  });

  test('our dead letters lie where it looks for its own', async () => {
    const exchange = uniqueName('wire');
    const bus = busOn(exchange);
    bus.subscribe('OrderLost', () => {
      throw new Error('never');
    });
    await bus.startConsuming();
    await bus.publish(
      createEvent({ eventType: 'OrderLost', aggregateType: 'Order', aggregateId: 'o', data: {} }),
    );
    await until('our dead letter', () => bus.stats.messagesSentToDlq === 1);
    expect(await outsider.count(`${exchange}.billing.dlq`)).toBe(1);
  });
});

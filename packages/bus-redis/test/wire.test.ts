import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DeadLetter, type DomainEvent } from '@omnibus/core';
import { RedisEventBus } from '../src/index.js';
import { Opener, sharedUrl, until } from './support/redis.js';

type Recorded = readonly [id: string, fields: Readonly<Record<string, string>>];

const { redis: recorded } = JSON.parse(
  readFileSync(join(__dirname, 'fixtures', 'eventsource-py-0.15.1.json'), 'utf8'),
) as { redis: Readonly<Record<'events:stream' | 'events:stream_dlq', readonly Recorded[]>> };

const opener = new Opener();
const buses: RedisEventBus[] = [];
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown()));
  await opener.close();
});

function busOn(streamPrefix: string): RedisEventBus {
  const bus = new RedisEventBus({ url: sharedUrl(), streamPrefix, partitions: 1, group: 'ours' });
  buses.push(bus);
  return bus;
}

async function replay(stream: string, entries: readonly Recorded[]): Promise<void> {
  const client = opener.client();
  for (const [, fields] of entries) await client.xadd(stream, '*', ...Object.entries(fields).flat());
}

describe('eventsource-py on the same stream', () => {
  test('what it wrote is handled', async () => {
    const prefix = uniqueName('wire');
    const events: DomainEvent[] = [];
    await replay(`${prefix}:stream`, recorded['events:stream']);
    const bus = busOn(prefix);
    bus.subscribe('OrderPlaced', (event) => void events.push(event));
    await bus.startConsuming();
    await until('its events', () => events.length === recorded['events:stream'].length);
    expect(events[0]).toMatchObject({
      eventId: '11111111-1111-4111-8111-111111111111',
      aggregateId: '00000000-0000-4000-8000-00000000000a',
      data: { customer: 'Zoë – 東京', total: 42.5 },
    });
    expect(events[1]).toMatchObject({ actorId: 'user:7', metadata: { source: 'web', n: 1 } });
  });

  test('what we write has its fields, in its order and spelling', async () => {
    const prefix = uniqueName('wire');
    const bus = busOn(prefix);
    const event = createEvent({
      eventType: 'OrderPlaced',
      aggregateType: 'Order',
      aggregateId: 'order-1',
      tenantId: '33333333-3333-4333-8333-333333333333',
      data: { total: 1 },
    });
    await bus.publish(event);
    const [[, fields] = ['', []]] = await opener.client().xrange(`${prefix}:stream`, '-', '+');
    const [, template] = recorded['events:stream'][0] as Recorded;
    const names = fields.filter((_, index) => index % 2 === 0);
    expect(names).toEqual(Object.keys(template));
    expect(fields[fields.indexOf('occurred_at') + 1]).toMatch(/\+00:00$/);
    expect(fields[fields.indexOf('tenant_id') + 1]).toBe(event.tenantId);
  });

  test('its dead letters are listed and replayed, ours carry its fields', async () => {
    const prefix = uniqueName('wire');
    await replay(`${prefix}:stream_dlq`, recorded['events:stream_dlq']);
    const bus = busOn(prefix);
    const handled: DomainEvent[] = [];
    bus.subscribe('OrderPlaced', (event) => void handled.push(event));
    bus.subscribe('OrderLost', () => {
      throw new Error('never');
    });
    const letters: DeadLetter[] = [];
    for await (const letter of bus.deadLetters.list({})) letters.push(letter);
    expect(letters).toHaveLength(2);
    expect(letters[0]).toMatchObject({
      reason: 'max-retries',
      attempts: 1,
      source: { position: '1795476036289-0' },
    });
    await bus.startConsuming();
    expect(await bus.deadLetters.replay({})).toBe(2);
    await until('the replayed events', () => handled.length === 2);
    expect(await bus.deadLetters.count()).toBe(0);
    const failing = new RedisEventBus({
      url: sharedUrl(),
      streamPrefix: prefix,
      partitions: 1,
      group: 'failing',
      startFrom: 'latest',
      retry: { maxRetries: 0 },
    });
    buses.push(failing);
    failing.subscribe('OrderLost', () => {
      throw new Error('never');
    });
    await failing.startConsuming();
    const lost = createEvent({ eventType: 'OrderLost', aggregateType: 'Order', aggregateId: 'o', data: {} });
    await failing.publish(lost);
    await until('our dead letter', () => failing.stats.messagesSentToDlq === 1);
    const entries = await opener.client().xrange(`${prefix}:stream_dlq`, '-', '+');
    const [, fields = []] = entries.find(([, each]) => each.includes('failing')) ?? [];
    const field = (name: string): string | undefined => fields[fields.indexOf(name) + 1];
    const [, template] = recorded['events:stream_dlq'][0] as Recorded;
    for (const name of Object.keys(template)) expect(fields).toContain(name);
    expect(field('retry_count')).toBe('0');
    expect(field('original_message_id')).toMatch(/^\d+-\d+$/);
    expect(field('dlq_error_message')).toBe('never');
  });

  test('a group of it on a stream with more partitions is warned of', async () => {
    const prefix = uniqueName('wire');
    await opener.client().xgroup('CREATE', `${prefix}:stream`, 'python', '0', 'MKSTREAM');
    const { told } = await opener.open({ streamPrefix: prefix, partitions: 4 });
    expect(told.warnings.join()).toContain('python');
  });
});

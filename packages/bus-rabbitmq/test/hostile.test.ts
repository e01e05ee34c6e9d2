import { execFileSync } from 'node:child_process';
import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DeadLetter, jsonCodec } from '@omnibus/core';
import type { Options } from 'amqplib';
import { RabbitMQEventBus } from '../src/rabbitmq-event-bus.js';
import { Outsider, sharedUrls, until } from './support/rabbitmq.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

const outsider = new Outsider();
const buses: RabbitMQEventBus[] = [];

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 1_000 })));
});
afterAll(() => outsider.close());

interface Victim {
  readonly bus: RabbitMQEventBus;
  readonly exchange: string;
  readonly group: string;
  readonly handled: string[];
  readonly told: string[];
}

/** A group that consumes from an exchange of its own. */
async function victim(): Promise<Victim> {
  const exchange = uniqueName('exchange');
  const group = uniqueName('group');
  const bus = new RabbitMQEventBus({ urls: sharedUrls(), exchange, group, partitions: 1 });
  buses.push(bus);
  const handled: string[] = [];
  const told: string[] = [];
  void (async () => {
    for await (const status of bus.status()) {
      if ('error' in status) told.push(status.error.message);
      if ('message' in status) told.push(status.message);
    }
  })();
  bus.subscribeToAllEvents(({ eventId }) => void handled.push(eventId));
  await bus.startConsuming();
  return { bus, exchange, group, handled, told };
}

/** Writes what is no event, then publishes one: it must be handled, and the other a dead letter. */
async function attack(
  { bus, exchange, handled }: Victim,
  options: Options.Publish | undefined,
  body = 'no event',
): Promise<DeadLetter> {
  if (options) await outsider.publish(exchange, 'hostile', body, options);
  const good = createEvent({ eventType: 'Good', aggregateType: 'Order', aggregateId: 'a', data: {} });
  await bus.publish(good);
  await until('the event behind it', () => handled.includes(good.eventId), 10_000);
  await until('the dead letter', () => bus.stats.messagesSentToDlq === 1, 10_000);
  for await (const letter of bus.deadLetters.list()) return letter;
  throw new Error('there is no dead letter');
}

/** Publishes a table inside a table, and so on. In a process with a large stack: amqplib writes tables by recursion. */
function publishNested(exchange: string, depth: number): void {
  const program = `
    const [url, exchange, depth] = process.argv.slice(1);
    (async () => {
      const connection = await require('amqplib').connect(url);
      const channel = await connection.createConfirmChannel();
      let table = {};
      for (let level = 0; level < Number(depth); level += 1) table = { a: table };
      channel.publish(exchange, 'hostile', Buffer.from('no event'), { headers: { table } });
      await channel.waitForConfirms();
      await connection.close();
    })();`;
  const args = ['--stack-size=7000', '--unhandled-rejections=strict', '--eval', program];
  execFileSync(process.execPath, [...args, sharedUrls()[0] ?? '', exchange, String(depth)]);
}

describe('hostile messages', () => {
  test('headers that RabbitMQ routes by stay out of the dead letter', async () => {
    const one = await victim();
    const other = await victim();
    const letter = await attack(one, { headers: { CC: [`${other.exchange}.${other.group}`], mine: 'x' } });
    expect(letter).toMatchObject({ reason: 'deserialization', headers: { mine: 'x' } });
    expect(other.bus.stats.eventsConsumed).toBe(0);
  });

  test('a content type in the headers that is too long for a property', async () => {
    const one = await victim();
    const letter = await attack(one, { headers: { 'content-type': 'x'.repeat(1_000) } });
    expect(letter.reason).toBe('deserialization');
  });

  test.each([10, 2_000, 9_000])('tables inside each other, %d deep', async (depth) => {
    const one = await victim();
    publishNested(one.exchange, depth);
    const letter = await attack(one, undefined);
    expect(letter.reason).toBe('deserialization');
  });

  test('more headers than any bus reads', async () => {
    const one = await victim();
    const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`h${n}`, 'value']));
    const letter = await attack(one, { headers });
    expect(letter.errorMessage).toMatch(/2000 headers/);
    expect(letter.headers).toMatchObject({ h0: 'value' });
  });

  test('headers that leave no room for a report, with names that drive a terminal', async () => {
    const one = await victim();
    const headers = { 'a\u001b[31m\n': 'x'.repeat(31_400), 'b\u2028': 'x'.repeat(31_400) };
    const letter = await attack(one, { headers });
    expect(letter.reason).toBe('deserialization');
    await until('the warning', () => one.told.some((message) => message.includes('lacks')));
    for (const message of one.told) expect(message).not.toMatch(DANGEROUS);
  });

  test('a mark of a replay hides nothing: replays go to the queue of their group', async () => {
    const one = await victim();
    const event = createEvent({ eventType: 'Hidden', aggregateType: 'Order', aggregateId: 'a', data: {} });
    const headers = { target_group: 'another', dlq_replay_count: '1' };
    await outsider.publish(one.exchange, 'hostile', jsonCodec.encode(event) as unknown as string, {
      headers,
    });
    await until('the event', () => one.handled.includes(event.eventId));
  });

  test('ids, types and texts with control characters are told in one line', async () => {
    const one = await victim();
    await attack(one, { messageId: 'id\r\n\u001b[2J' }, '\u001b[31m{\nfoo\u2028');
    await until('the status', () => one.told.length > 0);
    for (const message of one.told) expect(message).not.toMatch(DANGEROUS);
  });
});

import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DeadLetter } from '@omnibus/core';
import { RedisEventBus } from '../src/redis-event-bus.js';
import { Opener, sharedUrl, until } from './support/redis.js';

const opener = new Opener();
const buses: RedisEventBus[] = [];

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 1_000 })));
  await opener.close();
});

interface Victim {
  readonly bus: RedisEventBus;
  readonly stream: string;
  readonly handled: string[];
}

async function victim(): Promise<Victim> {
  const streamPrefix = uniqueName('prefix');
  const bus = new RedisEventBus({ url: sharedUrl(), streamPrefix, group: 'victim', partitions: 1 });
  buses.push(bus);
  const handled: string[] = [];
  bus.subscribeToAllEvents(({ eventId }) => void handled.push(eventId));
  await bus.startConsuming();
  return { bus, stream: `${streamPrefix}:stream`, handled };
}

/** Writes what is no event, then publishes one: it must be handled, and the other a dead letter. */
async function attack({ bus, stream, handled }: Victim, fields: readonly string[]): Promise<DeadLetter> {
  await opener.client().xadd(stream, '*', ...fields);
  const good = createEvent({ eventType: 'Good', aggregateType: 'Order', aggregateId: 'a', data: {} });
  await bus.publish(good);
  await until('the event behind it', () => handled.includes(good.eventId));
  await until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
  for await (const letter of bus.deadLetters.list()) return letter;
  throw new Error('there is no dead letter');
}

describe('hostile entries', () => {
  test('more fields than a script may hand on', async () => {
    const fields = Array.from({ length: 20_000 }, (_, n) => [`f${n}`, 'value']).flat();
    const letter = await attack(await victim(), [...fields, 'payload', 'no event']);
    expect(letter.reason).toBe('deserialization');
    expect(letter.errorMessage).toMatch(/20000 headers/);
    expect(String(letter.raw)).toBe('no event');
  });

  test('fields that say what only a dead letter may say are not believed', async () => {
    const forged = ['dlq_consumer_group', 'another', 'original_message_id', '1-1', 'retry_count', '9'];
    const letter = await attack(await victim(), [...forged, 'payload', 'no event', ...forged]);
    expect(letter).toMatchObject({ group: 'victim', attempts: 0 });
    expect(letter.source.position).not.toBe('1-1');
  });
});

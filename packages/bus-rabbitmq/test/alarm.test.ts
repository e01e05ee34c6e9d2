import { uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DomainEvent } from '@omnibus/core';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import { RabbitMQEventBus } from '../src/index.js';
import { until } from './support/rabbitmq.js';

const STARTING_MS = 180_000;

// A broker of its own: an alarm holds back everybody who publishes to it.
let rabbitmq: RunningRabbitMQ;
let bus: RabbitMQEventBus | undefined;

beforeAll(async () => {
  rabbitmq = await startRabbitMQ();
}, STARTING_MS);
afterAll(async () => {
  await bus?.shutdown({ timeoutMs: 0 });
  await rabbitmq.stop();
});

test('an alarm of the broker shows in the status and holds publishers back without an error', async () => {
  bus = new RabbitMQEventBus({
    urls: rabbitmq.urls,
    exchange: uniqueName(),
    group: 'billing',
    publish: { timeoutMs: 120_000 },
  });
  const handled: DomainEvent[] = [];
  const messages: string[] = [];
  const watching = (async () => {
    for await (const status of bus.status()) if (status.type === 'warning') messages.push(status.message);
  })();
  bus.subscribeToAllEvents((event) => void handled.push(event));
  await bus.startConsuming();
  const isHeldBack = (): boolean => messages.some((text) => text.includes('holds publishers back'));
  const events: DomainEvent[] = [];
  const publishNext = async (): Promise<void> => {
    const [aggregateId, aggregateVersion] = ['a', events.length + 1];
    const event = createEvent({
      eventType: 'T',
      aggregateType: 'A',
      aggregateId,
      aggregateVersion,
      data: {},
    });
    events.push(event);
    await bus?.publish(event);
  };
  const { ctl } = rabbitmq.node(0);
  await ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
  // The broker tells a connection of its alarm when that publishes the next time.
  const untilHeldBack = (async () => {
    while (!isHeldBack()) await publishNext();
  })();
  await until('the alarm to be told', isHeldBack, 60_000);
  let settled = 'no';
  const last = publishNext().then(
    () => (settled = 'published'),
    (error: unknown) => (settled = String(error)),
  );
  expect(settled).toBe('no');
  await ctl('set_vm_memory_high_watermark', '0.4');
  await Promise.all([untilHeldBack, last]);
  expect(settled).toBe('published');
  await until('the events to be handled', () => handled.length === events.length, 60_000);
  expect(handled.map(({ eventId }) => eventId)).toEqual(events.map(({ eventId }) => eventId));
  expect(messages.some((text) => text.includes('takes messages again'))).toBe(true);
  await bus.shutdown();
  await watching;
}, 180_000);

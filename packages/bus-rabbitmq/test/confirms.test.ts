import { setImmediate as turn } from 'node:timers/promises';

import { record, records, uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DomainEvent } from '@omnibus/core';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import amqplib, { type ChannelModel } from 'amqplib';
import { RabbitMQEventBus } from '../src/index.js';
import { historyOf, Opener, until } from './support/rabbitmq.js';

const STARTING_MS = 180_000;
const ATTEMPTS = 3;
const ROOM = 20;
const EVENTS = 600;
const AWAY = /its node is down, or has just started/;

// A broker of its own: its connections are closed, and its tables are changed under it.
let rabbitmq: RunningRabbitMQ;
let bus: RabbitMQEventBus;
let exchange: string;
let outsider: ChannelModel | undefined;
const opener = new Opener();

beforeAll(async () => {
  rabbitmq = await startRabbitMQ();
}, STARTING_MS);
beforeEach(async () => {
  exchange = uniqueName('exchange');
  bus = new RabbitMQEventBus({
    urls: rabbitmq.urls,
    exchange,
    group: 'billing',
    partitions: 1,
    history: true,
    // Shorter than an answer may take: a caller must not notice what was lost.
    publish: { timeoutMs: 20_000 },
  });
  await bus.ensureGroup();
});
afterEach(async () => {
  await opener.close();
  await outsider?.close();
  outsider = undefined;
  await bus.shutdown({ timeoutMs: 0 });
});
afterAll(() => rabbitmq.stop());

/** What happens inside a broker while it starts, held still: `Q` is the record of the history's stream. */
function change(code: string): Promise<string> {
  const name = `rabbit_misc:r(<<"/">>, queue, <<"${exchange}_history">>)`;
  return rabbitmq.node(0).ctl('eval', `[Q] = mnesia:dirty_read(rabbit_durable_queue, ${name}), ${code}.`);
}

const hide = (): Promise<string> => change('mnesia:dirty_delete(rabbit_queue, amqqueue:get_name(Q))');
const show = (): Promise<string> => change('mnesia:dirty_write(rabbit_queue, Q)');
const forgetLeader = (): Promise<string> =>
  change('mnesia:dirty_write(rabbit_queue, amqqueue:set_pid(Q, spawn(fun() -> ok end)))');

function nextEvent(events: DomainEvent[]): DomainEvent {
  const aggregateVersion = events.length + 1;
  const event = createEvent({
    eventType: 'T',
    aggregateType: 'A',
    aggregateId: 'a',
    aggregateVersion,
    data: {},
  });
  events.push(event);
  return event;
}

async function versionsInHistory(): Promise<number[]> {
  const versions = new Set<number>();
  await bus.replay({ from: 'beginning', handler: (event) => void versions.add(event.aggregateVersion ?? 0) });
  return [...versions];
}

test('nothing is published before the history of a broker that starts again is back', async () => {
  const { transport } = await opener.open({ urls: rabbitmq.urls, exchange, partitions: 1, history: true });
  const confirmed: string[] = [];
  const refusals = new Set<unknown>();
  // At once again and again: a moment in which too little is there is found.
  const publish = async (): Promise<void> => {
    const value = `value ${confirmed.length + 1}`;
    const { failures } = await transport.send([record(0, value)]);
    if (failures.length === 0) confirmed.push(value);
    for (const { error } of failures) if (AWAY.test(String(error.cause))) refusals.add(error.cause);
  };
  await publish();
  await hide();
  await rabbitmq.node(0).ctl('close_all_connections', 'as by a restart');
  while (refusals.size < ATTEMPTS) await Promise.all([publish(), turn()]);
  await show();
  const before = confirmed.length;
  while (confirmed.length === before) await Promise.all([publish(), turn()]);
  expect(await historyOf(transport)).toEqual(confirmed);
}, 120_000);

test('what the broker never confirms is published again before its caller gives up', async () => {
  const events: DomainEvent[] = [];
  await bus.publish(nextEvent(events));
  await forgetLeader();
  const publishing = bus.publish(nextEvent(events));
  publishing.catch(() => undefined);
  await until('the queue to have it', async () => (await bus.lag()).total === events.length);
  await show();
  await publishing;
  expect(await versionsInHistory()).toEqual([1, 2]);
}, 120_000);

test('what is behind a refused event of its partition is refused with it, and the last words come in order', async () => {
  const queue = `${exchange}.billing`;
  const policy = JSON.stringify({ 'max-length': ROOM, overflow: 'reject-publish' });
  await rabbitmq.node(0).ctl('set_policy', 'tight', `^${exchange}`, policy, '--apply-to', 'queues');
  const { transport } = await opener.open({ urls: rabbitmq.urls, exchange, partitions: 1, history: true });
  outsider = await amqplib.connect(rabbitmq.urls[0] ?? '');
  const channel = await outsider.createChannel();
  // Slower than the publisher, so that the queue is full now and then.
  await channel.prefetch(1);
  const received: string[] = [];
  await channel.consume(queue, (message) => {
    if (!message) return;
    received.push(String(message.content));
    channel.ack(message);
  });
  let left = records(0, EVENTS);
  const sent = left.map(({ value }) => String(value));
  let refusals = 0;
  while (left.length > 0) {
    const { failures } = await transport.send(left);
    const taken = left.length - failures.length;
    // All that failed are those behind the first that did.
    expect(failures.map(({ index }) => index)).toEqual(left.map((_, index) => index).slice(taken));
    refusals += failures.length;
    left = left.slice(taken);
  }
  expect(refusals).toBeGreaterThan(0);
  await until('the last word on everything', () => received.at(-1) === sent.at(-1));
  const lastWords = received.filter((value, at) => received.lastIndexOf(value) === at);
  expect(lastWords).toEqual(sent);
}, 120_000);

import { consumeSpec, RecordingSink, record, sendAll, Told, uniqueName } from '@omnibus/conformance-tests';
import type { BusError } from '@omnibus/core';
import type { RabbitMQEventBusOptions } from '../src/options.js';
import { RabbitMQTransport } from '../src/transport.js';
import { group, type Opened, Opener, Outsider, testOptions, until } from './support/rabbitmq.js';

const opener = new Opener();
const outsider = new Outsider();
const open = (options: RabbitMQEventBusOptions = {}): Promise<Opened> => opener.open(options);

afterEach(() => opener.close());
afterAll(() => outsider.close());

describe('topology', () => {
  test('every key without the suffix of a partition reaches the first, and nothing comes twice', async () => {
    const { transport, settings } = await open();
    const name = uniqueName();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(name), sink);
    const foreign = [
      'Order.OrderPlaced',
      'dotted.aggregate.type.Placed',
      'single',
      'a..b',
      'Order.OrderPlaced.p4',
      'Order.OrderPlaced.p33',
      'Order.p1.OrderPlaced',
      'Order.OrderPlaced.P1',
      '#',
      '*.*',
    ];
    for (const key of foreign) await outsider.publish(settings.exchange, key, key);
    await outsider.publish(settings.exchange, 'Order.OrderPlaced.p2', 'suffixed');
    await outsider.publish(settings.exchange, 'dotted.type.OrderPlaced.p3', 'dotted and suffixed');
    await sendAll(transport, [record(1, 'ours'), record(0, 'ours too')]);
    await until('all of them', () => sink.delivered.length >= foreign.length + 4);
    expect(sink.values(0).sort()).toEqual([...foreign, 'ours too'].sort());
    expect([sink.values(1), sink.values(2), sink.values(3)]).toEqual([
      ['ours'],
      ['suffixed'],
      ['dotted and suffixed'],
    ]);
  });

  test('with other bindings on the exchange foreign keys reach the group all the same', async () => {
    const { transport, settings } = await open({ history: true });
    const channel = await (await outsider.open()).createChannel();
    const queue = uniqueName('other');
    await channel.assertQueue(queue);
    await channel.bindQueue(queue, settings.exchange, '#');
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(uniqueName()), sink);
    await outsider.publish(settings.exchange, 'Order.OrderPlaced', 'foreign');
    await until('the foreign one', () => sink.delivered.length > 0);
    expect(sink.values(0)).toEqual(['foreign']);
    await channel.deleteQueue(queue);
    await channel.close();
  });

  test('a bus that only publishes makes no queue, and events without a group are nobody’s', async () => {
    const { transport, settings, told } = await open();
    expect(await transport.send([record(1, 'nobody’s')])).toEqual({ failures: [] });
    expect(await outsider.exists(`${settings.exchange}.default.1`)).toBe(false);
    expect(told.errors).toEqual([]);
  });

  test('a group keeps what comes before its first consumer', async () => {
    const { transport } = await open();
    const name = uniqueName();
    await transport.ensureGroup(group(name));
    await sendAll(transport, [record(2, 'early')]);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(name), sink);
    await until('the early one', () => sink.delivered.length > 0);
    expect(sink.values(2)).toEqual(['early']);
  });

  test('an event whose queue was deleted is not published in silence', async () => {
    const { transport, settings, told } = await open();
    const name = uniqueName();
    await transport.ensureGroup(group(name));
    await outsider.deleteQueue(`${settings.exchange}.${name}.1`);
    const { failures } = await transport.send([record(0, 'routed'), record(1, 'lost?')]);
    expect(failures.map(({ index, error }) => [index, error.code, error.retryable])).toEqual([
      [1, 'BROKER', true],
    ]);
    await until('somebody to be told', () => told.errors.length > 0);
  });

  test('a queue that is deleted under its consumer is made anew', async () => {
    const { transport, settings, told } = await open();
    const name = uniqueName();
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(name), sink);
    await sendAll(transport, [record(1, 'before')]);
    await until('the first', () => sink.delivered.length === 1);
    await outsider.deleteQueue(`${settings.exchange}.${name}.1`);
    await sendAll(transport, [record(1, 'after')]);
    await until('the second', () => sink.values(1).includes('after'));
    expect(told.errors.length).toBeGreaterThan(0);
  });

  test('fewer partitions than configured are an error that names both; more are used', async () => {
    const { settings } = await open({ partitions: 4 });
    const failing = new RabbitMQTransport(testOptions({ exchange: settings.exchange, partitions: 6 }));
    const error = await failing.open(new Told()).then(
      () => undefined,
      (reason: unknown) => reason as BusError,
    );
    expect(error?.code).toBe('CONFIGURATION');
    expect(error?.message).toMatch(/6.*4/s);
    await failing.close();
    const { transport } = await open({ exchange: settings.exchange, partitions: 2 });
    expect(transport.partitions).toBe(4);
  });

  test('a queue with other arguments is an error that names the argument and both values', async () => {
    const { transport, settings } = await open();
    const name = uniqueName();
    const channel = await (await outsider.open()).createChannel();
    await channel.assertQueue(`${settings.exchange}.${name}.0`, {
      arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': 5 },
    });
    await channel.close();
    const error = await transport.ensureGroup(group(name)).then(
      () => undefined,
      (reason: unknown) => reason as BusError,
    );
    expect([error?.code, error?.retryable]).toEqual(['CONFIGURATION', false]);
    expect(error?.message).toMatch(/x-delivery-limit of queue .* is 5 on the broker and 1000000 here/);
  });

  test('an ephemeral group leaves nothing behind', async () => {
    const { transport, settings } = await open();
    const name = uniqueName('ephemeral');
    const consumption = await transport.consume(
      consumeSpec(name, { ephemeral: true, startFrom: 'latest' }),
      new RecordingSink(),
    );
    const queues = ['0', '1', '0.journal', 'dlq'].map((what) => `${settings.exchange}.${name}.${what}`);
    expect(await Promise.all(queues.map((queue) => outsider.exists(queue)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    await consumption.stop(1_000);
    expect(await Promise.all(queues.map((queue) => outsider.exists(queue)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('with createTopology: false nothing is made, and what exists is used', async () => {
    const { settings } = await open();
    const name = uniqueName();
    const finding = await open({ exchange: settings.exchange, createTopology: false });
    const error = await finding.transport.ensureGroup(group(name)).then(
      () => undefined,
      (reason: unknown) => reason as BusError,
    );
    expect(error?.message).toContain('createTopology');
    expect(await outsider.exists(`${settings.exchange}.${name}.0`)).toBe(false);
    await (await open({ exchange: settings.exchange })).transport.ensureGroup(group(name));
    await finding.transport.ensureGroup(group(name));
    await sendAll(finding.transport, [record(1, 'found')]);
    expect(await outsider.count(`${settings.exchange}.${name}.1`)).toBe(1);
  });

  test("queueType: 'classic' makes classic queues, and a group of the other kind is not touched", async () => {
    const { transport, settings } = await open({ queueType: 'classic' });
    const name = uniqueName();
    await transport.ensureGroup(group(name));
    await sendAll(transport, [record(1, 'kept')]);
    const quorum = await open({ exchange: settings.exchange });
    const error = await quorum.transport.ensureGroup(group(name)).then(
      () => undefined,
      (reason: unknown) => reason as BusError,
    );
    expect(error?.code).toBe('CONFIGURATION');
    expect(error?.message).toMatch(/x-queue-type of queue .* is classic on the broker and quorum here/);
    const sink = new RecordingSink();
    await transport.consume(consumeSpec(name), sink);
    await until('what it kept', () => sink.values(1).includes('kept'));
  });
});

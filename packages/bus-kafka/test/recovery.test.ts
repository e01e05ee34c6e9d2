import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { consumeSpec, RecordingSink, TcpProxy } from '@omnibus/conformance-tests';
import { createEvent } from '@omnibus/core';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { type Admin, Kafka } from 'kafkajs';
import { KafkaEventBus } from '../src/index.js';
import type { KafkaTransport } from '../src/transport.js';
import { openTransport, publish, records, type Told, uniqueName, until } from './support/kafka.js';

const opened: KafkaTransport[] = [];
let kafka: RunningKafka;
let proxy: TcpProxy;

beforeAll(async () => {
  let target = { host: '127.0.0.1', port: 0 };
  proxy = await TcpProxy.start({ target: () => target });
  kafka = await startKafka({
    advertise: ({ host, port, listener }) => {
      if (listener !== 'CLIENT') return `${host}:${port}`;
      target = { host, port };
      return `${proxy.host}:${proxy.port}`;
    },
  });
}, 60_000);
afterAll(async () => {
  await kafka?.stop();
  await proxy?.close();
});
afterEach(async () => {
  await proxy.heal();
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});

/** A consumer behind the proxy, and a publisher past it. */
async function pair(): Promise<{
  transport: KafkaTransport;
  told: Told;
  sink: RecordingSink;
  group: string;
  topicPrefix: string;
}> {
  const { transport, told, settings } = await openTransport({
    brokers: kafka.brokers,
    partitions: 4,
    heartbeatIntervalMs: 500,
    sessionTimeoutMs: 6_000,
  });
  opened.push(transport);
  const sink = new RecordingSink();
  const group = uniqueName();
  await transport.consume(consumeSpec(group), sink);
  return { transport, told, sink, group, topicPrefix: settings.topicPrefix };
}

describe('a consumer', () => {
  test('goes on after its connections were cut, keeps its partitions and repeats nothing', async () => {
    const { transport, sink } = await pair();
    await publish(
      transport,
      [0, 1, 2, 3].flatMap((partition) => records(partition, 10)),
    );
    await until('the first forty', () => sink.delivered.length === 40);
    for (let i = 0; i < 3; i += 1) {
      await proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await publish(
      transport,
      [0, 1, 2, 3].flatMap((partition) => records(partition, 10, 10)),
    );
    await until('the other forty', () => sink.delivered.length >= 80);
    expect(sink.delivered).toHaveLength(80);
    expect(sink.assignments).toHaveLength(4);
    for (const partition of [0, 1, 2, 3])
      expect(sink.values(partition)).toEqual(
        records(partition, 20).map(({ value }) => Buffer.from(value).toString()),
      );
  });

  test('goes on after the broker was killed and started again, with what was settled', async () => {
    const { transport, told, sink, group } = await pair();
    await publish(transport, records(2, 10));
    await until('ten', () => sink.delivered.length === 10);
    await sink.current(2).port.flush();
    await kafka.kill();
    await until('the outage to be told', () => told.disconnections.length === 1);
    const publishing = publish(transport, records(2, 10, 10));
    await kafka.start();
    await publishing;
    await until('the others', () => new Set(sink.values(2)).size === 20, 30_000);
    await until('the end of the outage to be told', () => told.reconnections === 1);
    expect(told.disconnections).toHaveLength(1);
    const numbers = sink.values(2).map((value) => Number(value.slice(2)));
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await until('the group to be up to date', async () =>
      (await transport.lag(group)).every(({ lag }) => lag === 0),
    );
  }, 60_000);

  test('notices a connection that swallows everything, and goes on over another one', async () => {
    const { transport, told, sink } = await pair();
    const halfOpenAtMs = Date.now();
    await proxy.halfOpen();
    await until('the outage to be told', () => told.disconnections.length === 1, 10_000);
    // Twice the heartbeat and the least patience there is.
    expect(Date.now() - halfOpenAtMs).toBeLessThan(10_000);
    await proxy.heal();
    await publish(transport, records(1, 3));
    await until('the records', () => sink.values(1).length >= 3);
    expect(sink.values(1)).toEqual(['1/0', '1/1', '1/2']);
  }, 60_000);

  test('a topic that was deleted and made anew with more than it had is consumed from its start, too', async () => {
    const { transport, sink, group, topicPrefix } = await pair();
    await publish(transport, records(0, 3));
    await until('three', () => sink.delivered.length === 3);
    await sink.current(0).port.flush();
    await deleteTopic(`${topicPrefix}.stream`);
    await publish(transport, records(0, 20, 3));
    await until('the others', () => sink.values(0).includes('0/22'), 20_000);
    expect([...new Set(sink.values(0))]).toEqual(records(0, 23).map(({ value }) => value.toString()));
    await until('the group to be up to date', async () =>
      (await transport.lag(group)).every(({ lag }) => lag === 0),
    );
  }, 60_000);

  test('a topic that was made anew with fewer partitions is used as it is', async () => {
    const { transport, sink, topicPrefix } = await pair();
    await createPartitions(`${topicPrefix}.stream`, 6);
    await transport.ping(5_000);
    expect(transport.partitions).toBe(6);
    await publish(transport, records(5, 3));
    await deleteTopic(`${topicPrefix}.stream`);
    await until('the topic to be there again', async () => {
      await transport.send(records(0, 1));
      return transport.partitions === 4;
    });
    await publish(
      transport,
      [0, 1, 2, 3].flatMap((partition) => records(partition, 3, 10)),
    );
    await until('the events', () =>
      [0, 1, 2, 3].every((partition) => sink.values(partition).at(-1) === `${partition}/12`),
    );
  }, 60_000);

  test('a topic that was deleted is made anew and consumed from its start', async () => {
    const { transport, told, sink, topicPrefix } = await pair();
    await publish(transport, records(0, 3));
    await until('three', () => sink.delivered.length === 3);
    await sink.current(0).port.flush();
    await deleteTopic(`${topicPrefix}.stream`);
    await publish(transport, records(0, 2, 3));
    await until('the others', () => sink.values(0).length >= 5, 20_000);
    expect(sink.values(0)).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4']);
    expect(told.errors.length).toBeGreaterThan(0);
  }, 60_000);
});

describe('a process that stands still for longer than its session', () => {
  let child: ChildProcess | undefined;
  let bus: KafkaEventBus | undefined;

  afterEach(async () => {
    child?.kill('SIGKILL');
    await bus?.shutdown({ timeoutMs: 0 });
  });

  test('loses its partitions to the others, gives up what it was doing when it wakes, and joins again', async () => {
    const topicPrefix = uniqueName('topic');
    const group = uniqueName();
    const options = {
      brokers: kafka.brokers,
      topicPrefix,
      group,
      partitions: 4,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 500,
    };
    bus = new KafkaEventBus(options);
    const handledHere: string[] = [];
    bus.subscribeToAllEvents(({ eventId }) => void handledHere.push(eventId));
    child = fork(join(__dirname, 'support', 'stuck-consumer.mjs'), [], {
      env: { ...process.env, OPTIONS: JSON.stringify(options) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const heard: {
      readonly type: string;
      readonly eventId?: string;
      readonly partitions?: readonly number[];
    }[] = [];
    child.on('message', (message) => heard.push(message as (typeof heard)[number]));
    const told = (type: string): typeof heard => heard.filter((each) => each.type === type);
    await until(
      'the child to own everything',
      () => told('rebalanced').at(-1)?.partitions?.length === 4,
      20_000,
    );
    await bus.publish(
      Array.from({ length: 8 }, (_, i) =>
        createEvent({
          eventType: 'T',
          aggregateType: 'A',
          aggregateId: `a${i}`,
          aggregateVersion: 1,
          data: {},
        }),
      ),
    );
    await until('the child to handle all of them', () => told('handling').length === 8);
    child.kill('SIGSTOP');
    await bus.startConsuming();
    await until('the events to be handled here', () => handledHere.length === 8, 30_000);
    child.kill('SIGCONT');
    await until('the child to give up', () => told('aborted').length === 8, 20_000);
    child.send('finish');
    await until('the child to be back', () => told('rebalanced').at(-1)?.partitions?.length === 2, 20_000);
    // What the child finished too late changed nothing: the group stands where this process put it.
    await until('the group to be up to date', async () => (await bus?.lag())?.total === 0);
    expect(told('handling')).toHaveLength(8);
    expect(new Set(handledHere).size).toBe(8);
    expect(handledHere).toHaveLength(8);
    await bus.publish(
      Array.from({ length: 8 }, (_, i) =>
        createEvent({
          eventType: 'T',
          aggregateType: 'A',
          aggregateId: `a${i}`,
          aggregateVersion: 2,
          data: {},
        }),
      ),
    );
    await until('both to work', () => told('handling').length + handledHere.length === 24);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  }, 90_000);
});

async function withAdmin(work: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin();
  await admin.connect();
  await work(admin);
  await admin.disconnect();
}

function deleteTopic(topic: string): Promise<void> {
  return withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
}

function createPartitions(topic: string, count: number): Promise<void> {
  return withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
}

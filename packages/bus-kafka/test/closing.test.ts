import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEvent } from '@omnibus/core';
import { Kafka } from 'kafkajs';
import { KafkaEventBus } from '../src/index.js';
import { sharedBrokers, uniqueName, until } from './support/kafka.js';

const run = promisify(execFile);

describe('closing', () => {
  test.each(['publish', 'consume', 'dead-broker'])(
    'a process that did this ends by itself after shutdown: %s',
    async (what) => {
      const startedAtMs = Date.now();
      const { stdout } = await run(process.execPath, [join(__dirname, 'support', 'short-life.mjs'), what], {
        env: { ...process.env, BROKERS: sharedBrokers().join(','), TOPIC_PREFIX: uniqueName('topic') },
        timeout: 20_000,
      });
      const { closedAtMs, sockets } = JSON.parse(stdout) as { closedAtMs: number; sockets: number };
      expect(sockets).toBe(0);
      expect(Date.now() - Math.max(closedAtMs, startedAtMs)).toBeLessThan(2_000);
    },
  );

  test('a client that was handed over is used, and works on after the bus is closed', async () => {
    const sockets: { readonly noDelay: jest.SpyInstance }[] = [];
    const kafka = new Kafka({
      brokers: sharedBrokers(),
      logLevel: 0,
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect({ host, port }, onConnect);
        sockets.push({ noDelay: jest.spyOn(socket, 'setNoDelay') });
        return socket;
      },
    });
    const admin = kafka.admin();
    await admin.connect();
    const ownSockets = sockets.length;
    const topicPrefix = uniqueName('topic');
    const bus = new KafkaEventBus({ kafka, topicPrefix, partitions: 2, group: uniqueName() });
    const handled: string[] = [];
    bus.subscribeToAllEvents(({ eventType }) => void handled.push(eventType));
    await bus.startConsuming();
    await bus.publish(
      createEvent({
        eventType: 'Given',
        aggregateType: 'A',
        aggregateId: 'a',
        aggregateVersion: 1,
        data: {},
      }),
    );
    await until('the event', () => handled.length === 1);
    // kafkajs does not do it by itself; then small requests wait for the acknowledgement of the one before.
    expect(sockets.slice(ownSockets).every(({ noDelay }) => noDelay.mock.calls.length > 0)).toBe(true);
    expect(sockets.slice(0, ownSockets).every(({ noDelay }) => noDelay.mock.calls.length === 0)).toBe(true);
    expect(await bus.shutdown()).toMatchObject({ clean: true });
    expect(await admin.listTopics()).toContain(`${topicPrefix}.stream`);
    await admin.disconnect();
  });

  test('a bus that only publishes has no consumer: one socket, and no group of its name', async () => {
    const topicPrefix = uniqueName('topic');
    const group = uniqueName('never');
    const bus = new KafkaEventBus({ brokers: sharedBrokers(), topicPrefix, partitions: 2, group });
    const before = brokerSockets();
    await bus.publish(
      createEvent({ eventType: 'T', aggregateType: 'A', aggregateId: 'a', aggregateVersion: 1, data: {} }),
    );
    expect(brokerSockets() - before).toBe(1);
    const admin = new Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();
    await admin.connect();
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain(group);
    await admin.disconnect();
    await bus.shutdown();
  });
});

function brokerSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}

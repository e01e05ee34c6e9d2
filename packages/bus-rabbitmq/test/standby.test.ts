import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { consumeSpec, RecordingSink, uniqueName } from '@omnibus/conformance-tests';
import { createEvent, type DomainEvent } from '@omnibus/core';
import { partitionOf } from '@omnibus/core/transport';
import { RabbitMQEventBus } from '../src/index.js';
import { Opener, sharedUrls, until } from './support/rabbitmq.js';

const opener = new Opener();
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await opener.close();
});

/** Long enough for nobody to miss a member, and for no heartbeat to count: only the broker tells the standby. */
const PATIENT = { presenceIntervalMs: 60_000, heartbeatMs: 60_000, partitions: 2 };

function eventFor(partition: number): DomainEvent {
  const keys = Array.from({ length: 50 }, (_, n) => `key-${n}`);
  const aggregateId = keys.find((key) => partitionOf(key, PATIENT.partitions) === partition) ?? '';
  return createEvent({ eventType: 'T', aggregateType: 'A', aggregateId, data: {} });
}

test('the standby goes on when a process is killed, without waiting for anybody to be missed', async () => {
  const first = await opener.open(PATIENT);
  const { settings } = first;
  const group = uniqueName();
  const child = spawn(process.execPath, [join(__dirname, 'support', 'consumer.mjs')], {
    env: {
      ...process.env,
      URLS: sharedUrls().join(','),
      OPTIONS: JSON.stringify({ ...PATIENT, exchange: settings.exchange, group }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let said = '';
  child.stdout?.on('data', (data) => {
    said += String(data);
  });
  await until('the child to consume', () => said.includes('consuming'));
  const sink = new RecordingSink('survivor');
  await first.transport.consume(consumeSpec(group), sink);
  await until('each to have a partition', () => first.told.ownerships.at(-1)?.length === 1);
  const [mine] = first.told.ownerships.at(-1) ?? [];
  const other = 1 - (mine ?? 0);
  const publisher = new RabbitMQEventBus({ urls: sharedUrls(), exchange: settings.exchange, partitions: 2 });
  try {
    await publisher.publish(eventFor(other));
    await until('the child to handle an event of its partition', () => said.includes('handled'));
    child.kill('SIGKILL');
    const event = eventFor(other);
    await publisher.publish(event);
    await until('the survivor to have the next', () => sink.values(other).join().includes(event.eventId));
  } finally {
    await publisher.shutdown();
  }
});

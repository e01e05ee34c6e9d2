import { createHash } from 'node:crypto';

import { createEvent, type EventBus } from '@omnibus/core';
import { partitionOf } from '@omnibus/core/transport';

import { pause, until } from '../poll.js';
import type { BrokerSettings, CreateRequest, Inspect, RawRecord } from '../subject.js';
import type { AmqpMessage } from './amqplib-types.js';
import { connectionsTo } from './connections.js';
import type { RabbitMQManagement } from './rabbitmq-management.js';
import type { RabbitMQSession } from './rabbitmq-session.js';

/** What the inspection needs to know of the broker. */
export interface RabbitMQInspectOptions {
  readonly session: () => RabbitMQSession;
  readonly management: () => RabbitMQManagement;
  readonly partitions: number;
  readonly create: (request: CreateRequest) => Promise<EventBus>;
  readonly busPorts: () => readonly number[];
}

/** How long a new channel or consumer may take to be shown. */
const SHOWN_WITHIN_MS = 10_000;
/** How old the plugin's counts may be. */
const COUNTS_MS = 1_500;
const OWN_HEADERS: ReadonlySet<string> = new Set(['partition_key', 'published_at_ms', 'x-stream-offset']);

const escaped = (group: string): string => group.replaceAll('%', '%25').replaceAll('.', '%2E');

/** Looks at RabbitMQ with amqplib and the management plugin, past the bus. */
export function inspectRabbitMQ(options: RabbitMQInspectOptions): Inspect {
  const { session, partitions } = options;
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const queuesOf = (namespace: string, group: string): string[] =>
    numbers.map((partition) => `${namespace}.${escaped(group)}.${partition}`);
  const ready = async (
    namespace: string,
    group: string,
  ): Promise<{ messages: number; consumers: number }[]> => {
    const counts: { messages: number; consumers: number }[] = [];
    for (const queue of queuesOf(namespace, group)) {
      const found = await session().on((channel) => channel.checkQueue(queue));
      counts.push({ messages: found?.messageCount ?? 0, consumers: found?.consumerCount ?? 0 });
    }
    return counts;
  };
  const heldAndReady = async (
    namespace: string,
    group: string,
  ): Promise<{ messages: number } | undefined> => {
    const queues = new Set(queuesOf(namespace, group));
    const counts = (await options.management().queues())
      .filter(({ name }) => queues.has(name))
      .map(({ messages }) => messages);
    const known = counts.filter((messages) => messages !== undefined);
    if (known.length < queues.size) return undefined;
    return { messages: known.reduce((sum, messages) => sum + messages, 0) };
  };
  const names = async (namespace: string): Promise<{ queues: string[]; exchanges: string[] }> => {
    const [queues, exchanges] = await Promise.all([
      options.management().queues(),
      options.management().exchanges(),
    ]);
    const isOurs = ({ name }: { readonly name: string }): boolean => belongsTo(name, namespace);
    return {
      queues: queues.filter(isOurs).map(({ name }) => name),
      exchanges: exchanges.filter(isOurs).map(({ name }) => name),
    };
  };
  const groups = async (namespace: string): Promise<string[]> =>
    (await names(namespace)).queues
      .filter((name) => name.startsWith(`${namespace}.`) && name.endsWith('.dlq'))
      .map((name) => decodeURIComponent(name.slice(namespace.length + 1, -'.dlq'.length)));
  return {
    putRaw: async (namespace, { key, value, headers = {}, partition }) => {
      const content = Buffer.from(value ?? []);
      const to = partition ?? (key === undefined ? 0 : partitionOf(key, partitions));
      // A foreign publisher knows no partitions: its routing key ends with the type.
      const isForeign = partition === undefined && key === undefined;
      await session().write(namespace, isForeign ? 'raw.written' : `raw.written.p${to}`, content, {
        headers: {
          ...Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              typeof text === 'string' ? text : Buffer.from(text),
            ]),
          ),
          ...(key === undefined ? {} : { partition_key: key }),
        },
      });
      return { partition: to, position: createHash('sha256').update(content).digest('hex').slice(0, 32) };
    },
    readRaw: async (namespace) =>
      (await session().readStream(`${namespace}_history`))
        .map((message) => rawOf(message, partitionOfKey(message.fields.routingKey, partitions)))
        .sort((a, b) => a.partition - b.partition),
    readRawDeadLetters: async (namespace) => {
      const read: RawRecord[] = [];
      for (const group of await groups(namespace))
        for (const message of await session().readQueue(`${namespace}.${escaped(group)}.dlq`))
          read.push(rawOf(message, 0));
      return read;
    },
    backlog: async (namespace, group) => {
      const counts = await ready(namespace, group);
      const waiting = counts.reduce((sum, { messages }) => sum + messages, 0);
      if (counts.every(({ consumers }) => consumers === 0)) return waiting;
      // What consumers hold only the plugin knows, from its next count on.
      await pause(COUNTS_MS);
      return until('counts of every queue', () => heldAndReady(namespace, group), {
        withinMs: SHOWN_WITHIN_MS,
      }).then(({ messages }) => messages);
    },
    groups,
    groupPositions: async (namespace, group) =>
      Object.fromEntries(
        (await ready(namespace, group)).map(({ messages }, partition) => [partition, `${messages} ready`]),
      ),
    connections: async () => Math.max(0, (await connectionsTo(options.busPorts())) - 1),
    artifacts: async (namespace) => {
      const { queues, exchanges } = await names(namespace);
      return [...queues, ...exchanges.map((name) => `exchange ${name}`)];
    },
    settings: (namespace, group) => settingsOf(options, options.management(), namespace, group),
    createTopology: async (namespace, { partitions: fewer }) => {
      await session().on(async (channel) => {
        await channel.assertExchange(namespace, 'topic');
        await channel.assertExchange(`${namespace}.partitions`, 'topic', {
          internal: true,
          alternateExchange: `${namespace}.foreign.${fewer}`,
        });
        const history = `${namespace}_history`;
        await channel.assertQueue(history, { arguments: { 'x-queue-type': 'stream' } });
        await channel.bindQueue(history, namespace, '#');
      });
    },
    deleteTopology: async (namespace) => {
      const { queues, exchanges } = await names(namespace);
      await session().on(async (channel) => {
        for (const queue of queues) await channel.deleteQueue(queue);
        for (const exchange of exchanges) await channel.deleteExchange(exchange);
      });
    },
  };
}

function belongsTo(name: string, namespace: string): boolean {
  return name === namespace || name.startsWith(`${namespace}.`) || name.startsWith(`${namespace}_`);
}

function partitionOfKey(key: string, partitions: number): number {
  const partition = Number(/(?:^|\.)p(\d+)$/.exec(key)?.[1] ?? 0);
  return partition < partitions ? partition : 0;
}

function rawOf({ content, properties }: AmqpMessage, partition: number): RawRecord {
  const { messageId, headers = {} } = properties;
  const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name));
  const texts = Object.fromEntries(own.map(([name, value]) => [name, String(value)]));
  const key = headers.partition_key ?? headers.aggregate_id;
  return {
    partition,
    position: messageId ?? createHash('sha256').update(content).digest('hex').slice(0, 32),
    key: key === undefined ? undefined : String(key),
    value: content,
    headers: messageId === undefined || 'event_id' in texts ? texts : { ...texts, event_id: messageId },
  };
}

async function settingsOf(
  { session, create }: RabbitMQInspectOptions,
  management: RabbitMQManagement,
  namespace: string,
  group: string,
): Promise<BrokerSettings> {
  const own = `${namespace}.${escaped(group)}.`;
  const queues = (await management.queues()).filter(({ name }) => name.startsWith(own));
  const shards = queues.filter(({ name }) => /\.\d+$/.test(name));
  const consumers = await until(
    'the consumers of the group',
    async () => {
      const found = (await management.consumers()).filter(({ queue }) => queue.name.startsWith(own));
      return found.length > 0 && found;
    },
    { withinMs: SHOWN_WITHIN_MS },
  );
  const messages = await session().readStream(`${namespace}_history`);
  const publishing = await publishToNewGroup(create, namespace, async (first) => {
    const kept = await session().on((channel) => channel.checkQueue(first));
    const confirms = await until(
      'a channel with confirmations',
      async () => (await management.channels()).some(({ confirm }) => confirm),
      { withinMs: SHOWN_WITHIN_MS },
    );
    return { kept: kept?.messageCount, confirms };
  });
  return {
    durableStorage:
      queues.length > 0 &&
      queues.every(({ durable, type }) => durable && type === 'quorum') &&
      messages.length > 0 &&
      messages.every(({ properties }) => properties.deliveryMode === 2),
    confirmedPublish: publishing.confirms,
    // A queue stores in the order in which it is sent to; what it did not confirm is sent again in that order. One
    // consumer at a time is what keeps it.
    orderedPublish:
      shards.length > 0 && shards.every((queue) => queue.arguments['x-single-active-consumer'] === true),
    // Its queues hold all that came since they exist.
    groupStartsFrom: publishing.kept === 1 ? 'earliest' : 'latest',
    autoCommit: !consumers.every((consumer) => consumer.ack_required),
    details: { queues, consumers, publishing },
  };
}

/** A group that was made and never consumed, with one event in its first queue. */
async function publishToNewGroup<T>(
  create: RabbitMQInspectOptions['create'],
  namespace: string,
  look: (queue: string) => Promise<T>,
): Promise<T> {
  const group = 'new';
  const bus = await create({ namespace, group, overrides: {} });
  const [aggregateId = ''] = Array.from({ length: 100 }, (_, n) => `key-${n}`).filter(
    (key) => partitionOf(key, 6) === 0,
  );
  await bus.ensureGroup();
  await bus.publish(
    createEvent({ eventType: 'T', aggregateType: 'A', aggregateId, aggregateVersion: 1, data: {} }),
  );
  try {
    return await look(`${namespace}.${group}.0`);
  } finally {
    await bus.shutdown();
  }
}

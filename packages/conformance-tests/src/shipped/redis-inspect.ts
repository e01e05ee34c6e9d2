import type { EventBus } from '@omnibus/core';
import { partitionOf } from '@omnibus/core/transport';

import type { BrokerSettings, CreateRequest, Inspect, RawRecord } from '../subject.js';
import { connectionsTo } from './connections.js';
import type { RedisSession } from './redis-session.js';

/** What the inspection needs to know of the server. */
export interface RedisInspectOptions {
  readonly session: () => RedisSession;
  readonly partitions: number;
  readonly create: (request: CreateRequest) => Promise<EventBus>;
  /** Ports that buses connect to, when the inspection itself goes another way. */
  readonly busPorts: () => readonly number[];
}

const streamOf = (namespace: string, partition: number): string =>
  partition === 0 ? `${namespace}:stream` : `${namespace}:stream:${partition}`;

/** Looks at Redis with ioredis, past the bus. */
export function inspectRedis(options: RedisInspectOptions): Inspect {
  const { session } = options;
  const partitions = Array.from({ length: options.partitions }, (_, partition) => partition);
  const groupOn = async (
    stream: string,
    group: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> =>
    (await session().info('GROUPS', stream)).find(({ name }) => name === group);
  return {
    putRaw: async (namespace, record) => {
      const { key, partition = key === undefined ? 0 : partitionOf(key, options.partitions) } = record;
      return { partition, position: await session().write(streamOf(namespace, partition), record) };
    },
    readRaw: async (namespace) => {
      const read: RawRecord[] = [];
      for (const partition of partitions)
        read.push(...(await session().read(streamOf(namespace, partition), partition)));
      return read;
    },
    readRawDeadLetters: (namespace) => session().read(`${namespace}:stream_dlq`, 0),
    backlog: async (namespace, group) => {
      let backlog = 0;
      for (const partition of partitions) {
        const stream = streamOf(namespace, partition);
        const info = await groupOn(stream, group);
        backlog += info
          ? Number(info.pending) + Number(info.lag)
          : Number(await session().client.call('xlen', stream));
      }
      return backlog;
    },
    groups: async (namespace) => {
      const groups = new Set<string>();
      for (const partition of partitions)
        for (const { name } of await session().info('GROUPS', streamOf(namespace, partition)))
          groups.add(String(name));
      return [...groups];
    },
    groupPositions: async (namespace, group) => {
      const positions: [string, string][] = [];
      for (const partition of partitions) {
        const info = await groupOn(streamOf(namespace, partition), group);
        if (info)
          positions.push([String(partition), `${info['last-delivered-id']}, ${info.pending} pending`]);
      }
      return Object.fromEntries(positions);
    },
    // One of them looks.
    connections: async () => (await connectionsTo(options.busPorts())) - 1,
    artifacts: async (namespace) => {
      const names = [...(await keysOf(session(), namespace))];
      for (const partition of partitions) {
        const stream = streamOf(namespace, partition);
        for (const { name } of await session().info('GROUPS', stream)) {
          names.push(`${stream} ${name}`);
          for (const consumer of await session().info('CONSUMERS', stream, String(name)))
            names.push(`${stream} ${name} ${consumer.name}`);
        }
      }
      return names;
    },
    settings: (namespace, group) => settingsOf(options, namespace, group),
    createTopology: async (namespace, { partitions: count }) => {
      await session().client.call('set', `{${namespace}:stream}:partitions`, count);
    },
    trim: async (namespace, count) => {
      for (const partition of partitions) {
        const stream = streamOf(namespace, partition);
        const length = Number(await session().client.call('xlen', stream));
        await session().client.call('xtrim', stream, 'MAXLEN', Math.max(0, length - count));
      }
    },
    deleteTopology: async (namespace) => {
      for (const key of await keysOf(session(), namespace)) await session().client.call('del', key);
    },
  };
}

async function keysOf(session: RedisSession, namespace: string): Promise<readonly string[]> {
  return [...(await session.keys(`${namespace}:*`)), ...(await session.keys(`{${namespace}:*`))];
}

async function settingsOf(
  { session, create, partitions }: RedisInspectOptions,
  namespace: string,
  group: string,
): Promise<BrokerSettings> {
  const { client } = session();
  const persistence = Object.fromEntries(
    await Promise.all(
      ['appendonly', 'appendfsync'].map(async (name) => {
        const [, value] = (await client.call('config', 'GET', name)) as readonly [string, string];
        return [name, value] as const;
      }),
    ),
  );
  const keys = await keysOf(session(), namespace);
  const publishers = keys.filter((key) => key.includes(':publisher:'));
  const streams = Array.from({ length: partitions }, (_, partition) => streamOf(namespace, partition));
  const lives = await Promise.all(streams.map((stream) => client.call('pttl', stream)));
  const consumers = (
    await Promise.all(streams.map((stream) => session().info('CONSUMERS', stream, group)))
  ).flat();
  return {
    // What the server does with its data is its own setting; that the streams do not end by themselves is the bus's.
    durableStorage: lives.every((ttl) => Number(ttl) < 0),
    // The number of the last record is written in the step that appends it: there is one only after an answer.
    confirmedPublish: publishers.length > 0,
    orderedPublish: publishers.length > 0,
    groupStartsFrom: await startOfNewGroup(create, session(), namespace),
    // With NOACK the server would take no note of who has what.
    autoCommit: consumers.length === 0,
    details: { persistence, publishers, consumers },
  };
}

/** Lets a bus make a group, and sees whether it stands before or behind what is there. */
async function startOfNewGroup(
  create: RedisInspectOptions['create'],
  session: RedisSession,
  namespace: string,
): Promise<'earliest' | 'latest'> {
  const group = 'conformance-inspect-start';
  const bus = await create({ namespace, group, overrides: {}, asShipped: true });
  try {
    await bus.ensureGroup();
    const info = await session.info('GROUPS', streamOf(namespace, 0));
    return info.find(({ name }) => name === group)?.['last-delivered-id'] === '0-0' ? 'earliest' : 'latest';
  } finally {
    await bus.shutdown();
  }
}

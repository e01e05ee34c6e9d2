import type { EventBus } from '@omnibus/core';
import { pause } from '../poll.js';
import type { BrokerSettings, CreateRequest, Inspect, RawRecord } from '../subject.js';
import { connectionsTo } from './connections.js';
import type { KafkaSession, ReadMessage } from './kafka-session.js';
import type { KafkaSessions } from './kafka-sessions.js';
import type { KafkaAdmin } from './kafkajs-types.js';

/** What the inspection needs to know of the cluster. */
export interface KafkaInspectOptions {
  readonly sessions: KafkaSessions;
  readonly create: (request: CreateRequest) => Promise<EventBus>;
  /** Ports that buses connect to, when the inspection itself goes another way. */
  readonly busPorts: () => readonly number[];
  /** Groups that buses of a namespace were made for. */
  readonly groupsOf: (namespace: string) => ReadonlySet<string>;
}

const streamOf = (namespace: string): string => `${namespace}.stream`;
const deadLettersOf = (namespace: string): string => `${namespace}.stream.dlq`;

/** Looks at Kafka with kafkajs, past the bus. */
export function inspectKafka(options: KafkaInspectOptions): Inspect {
  const { groupsOf } = options;
  const session = (namespace: string): Promise<KafkaSession> => options.sessions.of(namespace);
  return {
    putRaw: async (namespace, record) => (await session(namespace)).write(streamOf(namespace), record),
    readRaw: async (namespace) => (await (await session(namespace)).read(streamOf(namespace))).map(rawOf),
    readRawDeadLetters: async (namespace) =>
      (await (await session(namespace)).read(deadLettersOf(namespace))).map(rawOf),
    backlog: async (namespace, group) => {
      const open = await session(namespace);
      const ends = await open.offsetsOf(streamOf(namespace));
      const positions = await committed(await session(namespace), namespace, group);
      return ends.reduce(
        (sum, { partition, low, high }) => sum + Number(high) - Number(positions[partition] ?? low),
        0,
      );
    },
    groups: (namespace) => existingGroups(options, namespace),
    groupPositions: async (namespace, group) => committed(await session(namespace), namespace, group),
    connections: () => connectionsTo(options.busPorts()),
    artifacts: async (namespace) => {
      const { admin } = await options.sessions.shared();
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`));
      return [...topics, ...(await existingGroups(options, namespace))];
    },
    settings: (namespace, group) => settingsOf(options, namespace, group),
    createTopology: async (namespace, { partitions }) => {
      const topics = [{ topic: streamOf(namespace), numPartitions: partitions, replicationFactor: 1 }];
      const open = await session(namespace);
      await open.admin.createTopics({ topics, waitForLeaders: false });
      // Until it can be used: kafkajs waits for leaders, but fails when the broker has not heard of the topic yet.
      await open.offsetsOf(streamOf(namespace));
    },
    trim: async (namespace, count) => {
      const open = await session(namespace);
      const ends = await open.offsetsOf(streamOf(namespace));
      const partitions = ends.map(({ partition, low, high }) => ({
        partition,
        offset: String(Math.min(Number(high), Number(low) + count)),
      }));
      await open.admin.deleteTopicRecords({ topic: streamOf(namespace), partitions });
    },
    deleteTopology: async (namespace) => {
      const { admin } = await options.sessions.shared();
      for (const group of groupsOf(namespace)) await removeGroup(admin, group);
      await deleteTopics(options.sessions, namespace);
    },
  };
}

/** Deletes the topics of the namespace, and forgets what was known of them. */
export async function deleteTopics(sessions: KafkaSessions, namespace: string): Promise<void> {
  const { admin } = await sessions.shared();
  await sessions.closeOf(namespace);
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${namespace}.`));
  if (topics.length > 0) await admin.deleteTopics({ topics });
}

function rawOf({ partition, message }: ReadMessage): RawRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
    name,
    String(Array.isArray(value) ? value.at(-1) : value),
  ]);
  return {
    partition,
    position: message.offset,
    key: message.key?.toString(),
    value: message.value,
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

async function committed(
  { admin }: KafkaSession,
  namespace: string,
  group: string,
): Promise<Record<string, string>> {
  const [own] = await admin.fetchOffsets({ groupId: group, topics: [streamOf(namespace)] });
  const known = (own?.partitions ?? []).filter(({ offset }) => offset !== '-1');
  return Object.fromEntries(known.map(({ partition, offset }) => [partition, offset]));
}

/** Groups with offsets in the stream of the namespace, or with members: an ephemeral one has a name that nobody chose. */
async function existingGroups(
  { sessions, groupsOf }: KafkaInspectOptions,
  namespace: string,
): Promise<string[]> {
  const open = await sessions.of(namespace);
  const { groups } = await open.admin.listGroups();
  const found: string[] = [];
  for (const { groupId } of groups) {
    const isOurs =
      groupsOf(namespace).has(groupId) || Object.keys(await committed(open, namespace, groupId)).length > 0;
    if (isOurs) found.push(groupId);
  }
  return found;
}

const EMPTY_WITHIN_MS = 25_000;

/** Removes a group once its last member is gone: the broker keeps one that was killed until its session ends. */
async function removeGroup(admin: KafkaAdmin, group: string): Promise<void> {
  for (const deadline = performance.now() + EMPTY_WITHIN_MS; performance.now() < deadline; await pause(100)) {
    const [described] = (await admin.describeGroups([group])).groups;
    if (!described || described.state === 'Dead') return;
    if (described.state === 'Empty') {
      await admin.deleteGroups([group]);
      return;
    }
  }
  throw new Error(`the group ${group} still has members`);
}

async function settingsOf(
  options: KafkaInspectOptions,
  namespace: string,
  group: string,
): Promise<BrokerSettings> {
  const open = await options.sessions.of(namespace);
  const topic = streamOf(namespace);
  const messages = await open.read(topic);
  const [offsets] = await open.admin.fetchOffsets({ groupId: group, topics: [topic] });
  const [metadata] = (await open.admin.fetchTopicMetadata({ topics: [topic] })).topics;
  const configs = await open.configsOf(topic);
  const commits = (offsets?.partitions ?? []).filter(({ offset }) => offset !== '-1');
  const idempotent =
    messages.length > 0 &&
    messages.every(({ message }) => Number(message.batchContext?.producerId ?? -1) >= 0);
  const replicas = metadata?.partitions.map((partition) => partition.replicas.length) ?? [];
  return {
    durableStorage:
      replicas.length > 0 &&
      configs['unclean.leader.election.enable'] === 'false' &&
      configs['cleanup.policy'] === 'delete',
    // A broker takes a record with a producer id only from a producer that waits for all replicas in sync.
    confirmedPublish: idempotent,
    orderedPublish: idempotent,
    groupStartsFrom: await startOfNewGroup(options, namespace),
    // The client's own commits say nothing; those of the bus carry the journal.
    autoCommit: commits.length === 0 || commits.some((commit) => !commit.metadata),
    details: {
      replicas,
      configs,
      commits,
      producers: messages.map(({ message }) => message.batchContext?.producerId),
    },
  };
}

async function startOfNewGroup(
  { sessions, create }: KafkaInspectOptions,
  namespace: string,
): Promise<'earliest' | 'latest'> {
  const group = `${namespace}-new`;
  const bus = await create({ namespace, group, overrides: {} });
  await bus.ensureGroup();
  await bus.shutdown();
  const open = await sessions.of(namespace);
  const positions = await committed(open, namespace, group);
  const ends = await open.offsetsOf(streamOf(namespace));
  const behind = ends.filter(({ high, low }) => high !== low);
  return behind.every(({ partition, low }) => (positions[partition] ?? low) === low) ? 'earliest' : 'latest';
}

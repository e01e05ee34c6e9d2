import type { EventBus } from '@omnibus/core';

import { importFromProject } from '../load-package.js';
import type { NetworkFaults } from '../network-faults.js';
import type { BusOverrides, ConformanceSubject, CreateRequest, Faults, RawClient } from '../subject.js';
import { type BrokerControl, brokerFaults, type Provides, type ProxiedWay } from './broker-control.js';
import { withoutConnections } from './connections.js';
import { deleteTopics, inspectKafka } from './kafka-inspect.js';
import { rawKafka } from './kafka-raw.js';
import { KafkaSessions } from './kafka-sessions.js';
import { type ClosableBroker, openedOnce } from './opened-once.js';
import { processModule } from './process-module.js';

/** A Kafka that tests may use, and hurt as far as it says how. */
export interface KafkaUnderTest {
  readonly brokers: readonly string[];
  /** Another way to the same brokers, for looking at them; then connections of buses can be counted. @default brokers */
  readonly directBrokers?: readonly string[];
  /** @default 'unknown' */
  readonly version?: string;
  /** The broker as a process. */
  readonly control?: BrokerControl;
  /** A way to the same brokers that can fail. */
  readonly proxied?: { readonly brokers: readonly string[]; readonly network: NetworkFaults };
  /** @default nothing */
  stop?(): Promise<void>;
}

/** How to get a Kafka. */
export type KafkaSubjectOptions =
  | { readonly brokers: readonly string[] }
  | {
      /** Called once, before the first test. */
      start(): Promise<KafkaUnderTest>;
      /** What `start` will provide: which ids can be run has to be known before. */
      readonly provides: Provides;
      /** Called once, when the first test needs a Kafka that knows users and encrypts. @default there is none */
      secured?(): Promise<ClosableBroker>;
    };

const PARTITIONS = 6;
const REPLICAS = 3;
const SESSION_TIMEOUT_MS = 6_000;
/** Quick enough for tests, slow enough for a loaded machine. */
const TEST_SETTINGS = {
  sessionTimeoutMs: SESSION_TIMEOUT_MS,
  heartbeatIntervalMs: 500,
  maxWaitTimeMs: 100,
};
/** An answer to a heartbeat may take a second, however often they are sent. */
const SILENCE_MS = 2 * 1_000;
/** Where nothing listens. */
const NOWHERE = ['127.0.0.1:1'];
/** The variable that tells child processes where the brokers are. */
export const BROKERS_VARIABLE = 'OMNIBUS_CONFORMANCE_KAFKA';

/** Makes `KafkaEventBus` of the project's `@omnibus/bus-kafka`. */
export async function createKafkaBus(brokers: readonly string[], request: CreateRequest): Promise<EventBus> {
  const { KafkaEventBus } = (await importFromProject('@omnibus/bus-kafka')) as {
    KafkaEventBus: new (options: BusOverrides) => EventBus;
  };
  const { namespace, group, overrides, asShipped = false } = request;
  const identity = overrides.ephemeralGroup === true ? {} : { group };
  const way = 'kafka' in overrides ? {} : { brokers: [...brokers] };
  return new KafkaEventBus({
    ...way,
    topicPrefix: namespace,
    ...identity,
    partitions: PARTITIONS,
    replicationFactor: Math.min(brokers.length, REPLICAS),
    ...(asShipped ? {} : TEST_SETTINGS),
    ...overrides,
  });
}

/** `KafkaEventBus` on a Kafka that is there, or that is started for the run. */
export function kafkaSubject(options: KafkaSubjectOptions): ConformanceSubject {
  const provides: Provides = 'start' in options ? options.provides : { control: false, proxied: false };
  let kafka: KafkaUnderTest | undefined = 'brokers' in options ? { brokers: options.brokers } : undefined;
  const groups = new Map<string, Set<string>>();
  const secured = 'start' in options && options.secured ? openedOnce(options.secured) : undefined;
  const running = (): KafkaUnderTest => {
    if (!kafka) throw new Error('Kafka is not started');
    return kafka;
  };
  const sessions = new KafkaSessions(() => running().directBrokers ?? running().brokers);
  const createAt = (brokers: readonly string[], request: CreateRequest): Promise<EventBus> => {
    const known = groups.get(request.namespace) ?? new Set<string>();
    groups.set(request.namespace, known.add(request.group));
    return createKafkaBus(brokers, request);
  };
  const create = (request: CreateRequest): Promise<EventBus> => createAt(running().brokers, request);
  const inspect = inspectKafka({
    sessions,
    create,
    busPorts: () => [...running().brokers, ...(running().proxied?.brokers ?? [])].map(portOf),
    groupsOf: (namespace) => groups.get(namespace) ?? new Set(),
  });
  return {
    name: 'kafka',
    broker: () => ({ name: 'Apache Kafka', version: running().version ?? 'unknown' }),
    capabilities: {
      durable: true,
      competing: true,
      history: 'time',
      processes: true,
      sockets: true,
      orderedRetry: true,
      batchAtomic: true,
      retained: true,
      trimming: true,
      topology: true,
      sharing: 'partition',
      cloudEvents: false,
      security: secured !== undefined,
    },
    async setup() {
      if ('start' in options) kafka = await options.start();
      await sessions.shared();
    },
    async teardown() {
      await sessions.close();
      await secured?.close();
      await kafka?.stop?.();
    },
    create,
    async createOnGivenClient(request) {
      const { client: kafka, admin } = await sessions.of(request.namespace);
      const bus = await create({ ...request, overrides: { ...request.overrides, kafka } });
      return { bus, works: async () => void (await admin.listTopics()) };
    },
    processModule: processModule('kafka-process'),
    processEnv: () => ({ [BROKERS_VARIABLE]: running().brokers.join(',') }),
    peerClient: { packageName: 'kafkajs' },
    inspect: provides.control ? inspect : withoutConnections(inspect),
    faults: kafkaFaults(provides, running, sessions, createAt),
    credentials: (password) => [
      ...(['PLAIN', 'SCRAM-SHA-256'] as const).flatMap((mechanism) => {
        const credentials = { username: 'nobody', password };
        const security = { mechanism, credentials };
        return [
          { security },
          { security: { mechanism, credentials: () => credentials } },
          { security, brokers: NOWHERE },
        ];
      }),
      { security: { mechanism: 'OAUTHBEARER', credentials: () => ({ token: password }) } },
      { security: { mechanism: 'OAUTHBEARER', credentials: { token: password } }, brokers: NOWHERE },
    ],
    ...(secured && { secured }),
    survivesKill: provides.survivesKill === true,
    raw: { open: (namespace, onRecord) => rawKafka(sessions, namespace, onRecord) } satisfies RawClient,
    budget: {
      deliverMs: 10_000,
      takeoverMs: 20_000,
      recoverMs: 20_000,
      leaseMs: SESSION_TIMEOUT_MS,
      silenceMs: SILENCE_MS,
      idleLatencyMs: 25,
    },
  };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

function kafkaFaults(
  provides: Provides,
  running: () => KafkaUnderTest,
  sessions: KafkaSessions,
  createAt: (brokers: readonly string[], request: CreateRequest) => Promise<EventBus>,
): Faults {
  const proxied = (): ProxiedWay | undefined => {
    const { brokers, network } = running().proxied ?? {};
    return brokers && network
      ? {
          network,
          create: (request) => createAt(brokers, request),
          processEnv: { [BROKERS_VARIABLE]: brokers.join(',') },
        }
      : undefined;
  };
  return {
    ...brokerFaults(provides, () => running().control, proxied),
    // A group that has members stays; its offsets go with the topics.
    removeTopology: (namespace) => deleteTopics(sessions, namespace),
    // A topic that takes no record is refused by the broker, whoever writes.
    breakDeadLetters: async (namespace) => {
      const topic = `${namespace}.stream.dlq`;
      await (await sessions.of(namespace)).configure(topic, 'max.message.bytes', '1');
      return async () => (await sessions.of(namespace)).configure(topic, 'max.message.bytes', '1048588');
    },
  };
}

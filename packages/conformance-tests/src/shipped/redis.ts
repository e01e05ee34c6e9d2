import type { EventBus } from '@omnibus/core';

import { importFromProject } from '../load-package.js';
import type { NetworkFaults } from '../network-faults.js';
import type {
  BusOverrides,
  ConformanceSubject,
  CreateRequest,
  Faults,
  Inspect,
  RawClient,
} from '../subject.js';
import { type BrokerControl, brokerFaults, type Provides, type ProxiedWay } from './broker-control.js';
import { withoutConnections } from './connections.js';
import { type ClosableBroker, openedOnce } from './opened-once.js';
import { processModule } from './process-module.js';
import { inspectRedis } from './redis-inspect.js';
import { rawRedis } from './redis-raw.js';
import { RedisSession } from './redis-session.js';

/** A Redis that tests may use, and hurt as far as it says how. */
export interface RedisUnderTest {
  readonly url: string;
  /** @default 'Redis' */
  readonly product?: string;
  /** @default 'unknown' */
  readonly version?: string;
  /** The server as a process. */
  readonly control?: BrokerControl;
  /** A way to the same server that can fail. */
  readonly proxied?: { readonly url: string; readonly network: NetworkFaults };
  /** @default nothing */
  stop?(): Promise<void>;
}

/** How to get a Redis. */
export type RedisSubjectOptions =
  | { readonly url: string }
  | {
      /** Called once, before the first test. */
      start(): Promise<RedisUnderTest>;
      /** What `start` will provide. */
      readonly provides: Provides;
      /** Called once, when the first test needs a Redis that knows users and encrypts. @default there is none */
      secured?(): Promise<ClosableBroker>;
    };

const PARTITIONS = 6;
const LEASE_MS = 6_000;
/** What the bus is shipped with. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Quick enough for tests, slow enough for a loaded machine. */
const TEST_SETTINGS = { leaseMs: LEASE_MS, heartbeatIntervalMs: 500 };
/** Of a stream that is bounded. */
const KEPT_IN_PARTITION = 1_000;
/** Where nothing listens. */
const NOWHERE = 'redis://127.0.0.1:1';
/** The variable that tells child processes where the server is. */
export const URL_VARIABLE = 'OMNIBUS_CONFORMANCE_REDIS';

/** Makes `RedisEventBus` of the project's `@omnibus/bus-redis`. */
export async function createRedisBus(url: string, request: CreateRequest): Promise<EventBus> {
  const { RedisEventBus } = (await importFromProject('@omnibus/bus-redis')) as {
    RedisEventBus: new (options: BusOverrides) => EventBus;
  };
  const { namespace, group, overrides, asShipped = false } = request;
  const identity = overrides.ephemeralGroup === true ? {} : { group };
  return new RedisEventBus({
    ...('redis' in overrides ? {} : wayTo(url)),
    streamPrefix: namespace,
    partitions: PARTITIONS,
    ...identity,
    ...(asShipped ? {} : TEST_SETTINGS),
    ...overrides,
  });
}

/** Several addresses are those of a Cluster, where a replica has to have what is confirmed. */
function wayTo(url: string): BusOverrides {
  const nodes = url.split(',');
  return nodes.length === 1 ? { url } : { cluster: { nodes }, durability: { replicas: 1 } };
}

/** `RedisEventBus` on a Redis that is there, or that is started for the run. */
export function redisSubject(options: RedisSubjectOptions): ConformanceSubject {
  const provides: Provides = 'start' in options ? options.provides : { control: false, proxied: false };
  let redis: RedisUnderTest | undefined = 'url' in options ? { url: options.url } : undefined;
  let session: RedisSession | undefined;
  const secured = 'start' in options && options.secured ? openedOnce(options.secured) : undefined;
  const running = (): RedisUnderTest => {
    if (!redis) throw new Error('Redis is not started');
    return redis;
  };
  const looking = (): RedisSession => {
    if (!session) throw new Error('Redis is not started');
    return session;
  };
  const create = (request: CreateRequest): Promise<EventBus> => createRedisBus(running().url, request);
  const inspect = inspectRedis({
    session: looking,
    partitions: PARTITIONS,
    create,
    busPorts: () => [running().url, running().proxied?.url].flatMap((url) => (url ? [portOf(url)] : [])),
  });
  return {
    name: 'redis',
    broker: () => ({ name: running().product ?? 'Redis', version: running().version ?? 'unknown' }),
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
      if ('start' in options) redis = await options.start();
      session = await RedisSession.open(running().url);
    },
    async teardown() {
      session?.close();
      await secured?.close();
      await redis?.stop?.();
    },
    create,
    async createOnGivenClient(request) {
      const { client } = await RedisSession.open(running().url);
      const bus = await create({ ...request, overrides: { ...request.overrides, redis: client } });
      return {
        bus,
        works: async () => {
          await client.call('ping');
          client.disconnect();
        },
      };
    },
    processModule: processModule('redis-process'),
    processEnv: () => ({ [URL_VARIABLE]: running().url }),
    peerClient: { packageName: 'ioredis' },
    inspect: provides.control ? inspect : withoutConnections(inspect),
    faults: redisFaults(provides, running, looking, inspect),
    boundedStream: {
      overrides: { retention: { maxLength: KEPT_IN_PARTITION } },
      maxRecords: PARTITIONS * KEPT_IN_PARTITION,
    },
    credentials: (password) => {
      const credentials = { username: 'nobody', password };
      const security = { credentials };
      const urlOf = (address: string): string =>
        `redis://nobody:${encodeURIComponent(password)}@${new URL(address).host}`;
      return [
        { security },
        { security: { credentials: { password } } },
        { security: { credentials: () => credentials } },
        { url: urlOf(running().url) },
        { security, url: NOWHERE },
        { url: urlOf(NOWHERE) },
      ];
    },
    ...(secured && { secured }),
    survivesKill: provides.survivesKill === true,
    raw: {
      open: (namespace, onRecord) => rawRedis(running().url, namespace, onRecord),
    } satisfies RawClient,
    budget: {
      deliverMs: 10_000,
      takeoverMs: LEASE_MS + 2_000,
      recoverMs: 20_000,
      leaseMs: LEASE_MS,
      silenceMs: REQUEST_TIMEOUT_MS,
      idleLatencyMs: 10,
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port || 6379);
}

function redisFaults(
  provides: Provides,
  running: () => RedisUnderTest,
  looking: () => RedisSession,
  { deleteTopology }: Inspect,
): Faults {
  const proxied = (): ProxiedWay | undefined => {
    const { url, network } = running().proxied ?? {};
    return url !== undefined && network
      ? { network, create: (request) => createRedisBus(url, request), processEnv: { [URL_VARIABLE]: url } }
      : undefined;
  };
  return {
    ...brokerFaults(provides, () => running().control, proxied),
    // Keys go, whoever uses them.
    ...(deleteTopology && { removeTopology: deleteTopology }),
    // A key that holds a text takes no entry, whoever writes.
    breakDeadLetters: async (namespace) => {
      const letters = `${namespace}:stream_dlq`;
      const aside = `${letters}:aside`;
      const { client } = looking();
      const were = await client.call('exists', letters);
      if (were === 1) await client.call('rename', letters, aside);
      await client.call('set', letters, 'broken');
      return async () => {
        await client.call('del', letters);
        if (were === 1) await client.call('rename', aside, letters);
      };
    },
  };
}

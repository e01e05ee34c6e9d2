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
import { inspectRabbitMQ } from './rabbitmq-inspect.js';
import { type ManagedQueue, RabbitMQManagement } from './rabbitmq-management.js';
import { rawRabbitMQ } from './rabbitmq-raw.js';
import { RabbitMQSession } from './rabbitmq-session.js';

/** A RabbitMQ that tests may use, and hurt as far as it says how. */
export interface RabbitMQUnderTest {
  readonly url: string;
  /** Of the management plugin: without it queues cannot be listed. @default none */
  readonly managementUrl?: string;
  /** @default 'unknown' */
  readonly version?: string;
  /** The broker as a process. */
  readonly control?: BrokerControl;
  /** A way to the same broker that can fail. */
  readonly proxied?: { readonly url: string; readonly network: NetworkFaults };
  /** @default nothing */
  stop?(): Promise<void>;
}

/** How to get a RabbitMQ. */
export type RabbitMQSubjectOptions =
  | { readonly url: string }
  | {
      /** Called once, before the first test. */
      start(): Promise<RabbitMQUnderTest>;
      /** What `start` will provide. */
      readonly provides: Provides;
      /** Called once, when the first test needs a RabbitMQ that knows users and encrypts. @default there is none */
      secured?(): Promise<ClosableBroker>;
    };

const PARTITIONS = 6;
const HEARTBEAT_MS = 4_000;
/** The broker looks every heartbeat, and gives up when it heard nothing the second time. */
const LEASE_MS = 3 * HEARTBEAT_MS;
/** Quick enough for tests, slow enough for a loaded machine. */
const TEST_SETTINGS = { heartbeatMs: HEARTBEAT_MS, presenceIntervalMs: 500 };
/** Where nothing listens. */
const NOWHERE = 'amqp://127.0.0.1:1';
/** The variable that tells child processes where the broker is. */
export const URL_VARIABLE = 'OMNIBUS_CONFORMANCE_RABBITMQ';

/** Makes `RabbitMQEventBus` of the project's `@omnibus/bus-rabbitmq`, on one node or, with commas between them, several. */
export async function createRabbitMQBus(url: string, request: CreateRequest): Promise<EventBus> {
  const { RabbitMQEventBus } = (await importFromProject('@omnibus/bus-rabbitmq')) as {
    RabbitMQEventBus: new (options: BusOverrides) => EventBus;
  };
  const { namespace, group, overrides, asShipped = false } = request;
  const identity = overrides.ephemeralGroup === true ? {} : { group };
  const isGiven = 'connection' in overrides;
  return new RabbitMQEventBus({
    ...(isGiven ? {} : { urls: url.split(',') }),
    exchange: namespace,
    partitions: PARTITIONS,
    // What was published can be looked at only where it is kept.
    history: true,
    ...identity,
    ...(asShipped || isGiven ? {} : TEST_SETTINGS),
    ...overrides,
  });
}

/** `RabbitMQEventBus` on a RabbitMQ that is there, or that is started for the run. */
export function rabbitMQSubject(options: RabbitMQSubjectOptions): ConformanceSubject {
  const provides: Provides = 'start' in options ? options.provides : { control: false, proxied: false };
  let rabbitmq: RabbitMQUnderTest | undefined = 'url' in options ? { url: options.url } : undefined;
  let session: RabbitMQSession | undefined;
  let management: RabbitMQManagement | undefined;
  const secured = 'start' in options && options.secured ? openedOnce(options.secured) : undefined;
  const running = (): RabbitMQUnderTest => {
    if (!rabbitmq) throw new Error('RabbitMQ is not started');
    return rabbitmq;
  };
  const looking = (): RabbitMQSession => {
    session ??= new RabbitMQSession(running().url);
    return session;
  };
  const managing = (): RabbitMQManagement => {
    if (!management) throw new Error('this RabbitMQ has no management plugin');
    return management;
  };
  const create = (request: CreateRequest): Promise<EventBus> => createRabbitMQBus(running().url, request);
  const inspect = inspectRabbitMQ({
    session: looking,
    management: managing,
    partitions: PARTITIONS,
    create,
    busPorts: () => [running().url, running().proxied?.url].flatMap((url) => (url ? [portOf(url)] : [])),
  });
  return {
    name: 'rabbitmq',
    broker: () => ({ name: 'RabbitMQ', version: running().version ?? 'unknown' }),
    capabilities: {
      durable: true,
      competing: true,
      history: 'time',
      processes: true,
      sockets: true,
      orderedRetry: true,
      batchAtomic: true,
      retained: false,
      trimming: false,
      topology: true,
      sharing: 'partition',
      cloudEvents: false,
      security: secured !== undefined,
    },
    async setup() {
      if ('start' in options) rabbitmq = await options.start();
      const { managementUrl } = running();
      if (managementUrl !== undefined) management = new RabbitMQManagement(managementUrl);
      await looking().connection();
    },
    async teardown() {
      await session?.close();
      await secured?.close();
      await rabbitmq?.stop?.();
    },
    create,
    async createOnGivenClient(request) {
      const given = new RabbitMQSession(running().url);
      const connection = await given.connection();
      const bus = await create({ ...request, overrides: { ...request.overrides, connection } });
      return {
        bus,
        works: async () => {
          await (await connection.createChannel()).close();
          await given.close();
        },
      };
    },
    processModule: processModule('rabbitmq-process'),
    processEnv: () => ({ [URL_VARIABLE]: running().url }),
    peerClient: { packageName: 'amqplib' },
    inspect: provides.control ? inspect : withoutConnections(inspect),
    faults: rabbitMQFaults(provides, running, { looking, managing, inspect }),
    credentials: (password) => {
      const credentials = { username: 'nobody', password };
      const security = { credentials };
      const urlOf = (address: string): string =>
        `amqp://nobody:${encodeURIComponent(password)}@${new URL(address).host}`;
      return [
        { security },
        { security: { credentials: () => credentials } },
        { urls: urlOf(running().url) },
        { security, urls: NOWHERE },
        { urls: [urlOf(NOWHERE), urlOf(NOWHERE)] },
      ];
    },
    ...(secured && { secured }),
    survivesKill: provides.survivesKill === true,
    raw: {
      open: (namespace, onRecord) => rawRabbitMQ(running().url, namespace, onRecord),
    } satisfies RawClient,
    budget: {
      deliverMs: 10_000,
      takeoverMs: LEASE_MS + 6_000,
      recoverMs: 20_000,
      leaseMs: LEASE_MS,
      silenceMs: 2 * HEARTBEAT_MS,
      idleLatencyMs: 10,
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port || 5672);
}

function rabbitMQFaults(
  provides: Provides,
  running: () => RabbitMQUnderTest,
  {
    looking,
    managing,
    inspect: { deleteTopology },
  }: {
    readonly looking: () => RabbitMQSession;
    readonly managing: () => RabbitMQManagement;
    readonly inspect: Inspect;
  },
): Faults {
  const proxied = (): ProxiedWay | undefined => {
    const { url, network } = running().proxied ?? {};
    return url !== undefined && network
      ? { network, create: (request) => createRabbitMQBus(url, request), processEnv: { [URL_VARIABLE]: url } }
      : undefined;
  };
  return {
    ...brokerFaults(provides, () => running().control, proxied),
    // Queues and exchanges go, whoever uses them.
    ...(deleteTopology && { removeTopology: deleteTopology }),
    breakDeadLetters: async (namespace) => {
      const queues = (await managing().queues()).filter(
        ({ name }) => name.startsWith(`${namespace}.`) && name.endsWith('.dlq'),
      );
      const remake = (args: (queue: ManagedQueue) => Readonly<Record<string, unknown>>): Promise<unknown> =>
        looking().on(async (channel) => {
          for (const queue of queues) {
            await channel.deleteQueue(queue.name);
            await channel.assertQueue(queue.name, { arguments: args(queue) });
          }
        });
      // A queue that takes no message: the broker refuses, whoever writes.
      await remake(() => ({ 'x-max-length': 0, 'x-overflow': 'reject-publish' }));
      let healed: Promise<unknown> | undefined;
      return async () => {
        healed ??= remake((queue) => queue.arguments);
        await healed;
      };
    },
  };
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { type EventBus, InMemoryEventBus, MemoryBroker } from '@omnibus/core';
import {
  MemoryTransport,
  partitionOf,
  resolveEventBusOptions,
  type Transport,
  TransportEventBus,
} from '@omnibus/core/transport';

import type { NetworkFaults } from '../network-faults.js';
import { pause } from '../poll.js';
import type {
  BusOverrides,
  ConformanceSubject,
  CreateRequest,
  Faults,
  Inspect,
  ProxiedSubject,
  RawRecord,
} from '../subject.js';

const PARTITIONS = 8;
/** What the broker keeps is kept in this process: little enough not to be taken for a leak. */
const KEPT_IN_PARTITION = 500;
/** It forgets the oldest when there are half as many too many. */
const MOST_IN_PARTITION = 1.5 * KEPT_IN_PARTITION;
const NOWHERE = {
  eventId: '',
  eventType: '',
  aggregateId: '',
  aggregateType: '',
  aggregateVersion: 0,
  occurredAt: '',
};

/** Ways to make another bus of the healthy one: how defects are put in to see that the suite finds them. */
export interface MemoryMutation {
  options?(overrides: BusOverrides): BusOverrides;
  transport?(healthy: Transport): Transport;
  bus?(healthy: EventBus): EventBus;
}

/** The in-memory bus of core on one `MemoryBroker`. */
export function memorySubject(mutation?: MemoryMutation): ConformanceSubject {
  const broker = new MemoryBroker({ partitions: PARTITIONS, retainedRecords: KEPT_IN_PARTITION });
  const optionsOf = ({ group, overrides }: CreateRequest): CreateRequest['overrides'] =>
    overrides.ephemeralGroup === true ? overrides : { group, ...overrides };
  const create = (request: CreateRequest): EventBus =>
    mutation
      ? mutantOf(mutation, optionsOf(request), new MemoryTransport(broker, request.namespace))
      : new InMemoryEventBus({ ...optionsOf(request), broker, stream: request.namespace });
  return {
    name: 'memory',
    broker: { name: 'MemoryBroker', version: coreVersion() },
    capabilities: {
      // Across `stop` and `start` of the broker, which is all that its life knows.
      durable: true,
      competing: true,
      history: 'time',
      processes: false,
      sockets: false,
      orderedRetry: true,
      batchAtomic: true,
      retained: true,
      trimming: true,
      topology: false,
      sharing: 'partition',
      cloudEvents: false,
      security: false,
    },
    create,
    createTimed: (request, { clock, random }) =>
      new TransportEventBus({
        options: resolveEventBusOptions(optionsOf(request)),
        transport: new MemoryTransport(broker, request.namespace),
        clock,
        random,
      }),
    inspect: inspectMemory(broker),
    boundedStream: { overrides: {}, maxRecords: PARTITIONS * MOST_IN_PARTITION },
    faults: memoryFaults(broker, create),
    survivesKill: true,
    budget: { deliverMs: 5_000, takeoverMs: 5_000, recoverMs: 5_000, leaseMs: 200, idleLatencyMs: 1 },
  };
}

function mutantOf(mutation: MemoryMutation, overrides: BusOverrides, healthy: Transport): EventBus {
  const options = resolveEventBusOptions(mutation.options?.(overrides) ?? overrides);
  const bus = new TransportEventBus({ options, transport: mutation.transport?.(healthy) ?? healthy });
  return mutation.bus?.(bus) ?? bus;
}

function inspectMemory(broker: MemoryBroker): Inspect {
  return {
    putRaw: (namespace, { key, value, headers = {}, partition }) => {
      const to = partition ?? (key === undefined ? 0 : partitionOf(key, broker.partitions));
      const stream = broker.stream(namespace);
      const position = String(stream.logs[to]?.end ?? 0);
      // A real broker takes null for a record without a value; the type of what core sends does not.
      const bytes = value as Uint8Array;
      stream.append({ partition: to, key, value: bytes, headers, timestampMs: Date.now(), event: NOWHERE });
      return Promise.resolve({ partition: to, position });
    },
    readRaw: (namespace) =>
      Promise.resolve(
        broker
          .stream(namespace)
          .logs.flatMap((log, partition) =>
            log.read(log.start, log.end - log.start).map((record) => rawOf(partition, record)),
          ),
      ),
    readRawDeadLetters: (namespace) =>
      Promise.resolve(
        broker
          .stream(namespace)
          .deadLettersAfter(undefined)
          .map(({ record }) => rawOf(0, record)),
      ),
    backlog: (namespace, group) => {
      const lags = broker.stream(namespace).group(group)?.lag() ?? [];
      return Promise.resolve(lags.reduce((sum, { lag }) => sum + lag, 0));
    },
    groups: (namespace) => Promise.resolve(broker.stream(namespace).groupNames),
    groupPositions: (namespace, name) => {
      const group = broker.stream(namespace).group(name);
      const positions = broker
        .stream(namespace)
        .logs.map((_, partition) => [partition, String(group?.next(partition))]);
      return Promise.resolve(Object.fromEntries(positions) as Record<string, string>);
    },
    connections: () => Promise.resolve(broker.connectionCount),
    artifacts: (namespace) => {
      const stream = broker.stream(namespace);
      const members = stream.groupNames.flatMap((group) =>
        stream.members(group).map(({ name }) => `${group}/${name}`),
      );
      return Promise.resolve([...stream.groupNames, ...members]);
    },
    trim: (namespace, count) => {
      for (const log of broker.stream(namespace).logs)
        log.trim(log.start + Math.min(count, log.end - log.start), 0);
      return Promise.resolve();
    },
    deleteTopology: (namespace) => Promise.resolve(broker.deleteStream(namespace)),
  };
}

type StoredRecord = ReturnType<ReturnType<MemoryBroker['stream']>['deadLettersAfter']>[number]['record'];

function rawOf(partition: number, { key, value, headers, position }: StoredRecord): RawRecord {
  const texts = Object.entries(headers).map(([name, content]) => [name, textOf(content)]);
  return { partition, position, key, value, headers: Object.fromEntries(texts) as Record<string, string> };
}

function textOf(content: StoredRecord['headers'][string]): string {
  const one = Array.isArray(content) ? (content as readonly (string | Uint8Array)[]).at(-1) : content;
  return typeof one === 'string' ? one : Buffer.from((one as Uint8Array | undefined) ?? []).toString();
}

function memoryFaults(broker: MemoryBroker, create: (request: CreateRequest) => EventBus): Faults {
  const done = (what: () => void): Promise<void> => {
    what();
    return Promise.resolve();
  };
  return {
    stop: () => done(() => broker.stop()),
    kill: () => done(() => broker.stop()),
    start: () => broker.start(),
    pause: () => done(() => broker.pause()),
    resume: () => done(() => broker.resume()),
    removeTopology: (namespace) => done(() => broker.deleteStream(namespace)),
    breakDeadLetters: () => {
      broker.refuseDeadLetters(true);
      return Promise.resolve(() => done(() => broker.refuseDeadLetters(false)));
    },
    killMember: (consumerName) => broker.kill(consumerName),
    freezeMember: (consumerName) => broker.freeze(consumerName),
    thawMember: (consumerName) => broker.thaw(consumerName),
    throughProxy: () => Promise.resolve(wayToMemory(broker, create)),
  };
}

/** There is no wire: what breaks is every connection to the broker at once. */
function wayToMemory(broker: MemoryBroker, create: (request: CreateRequest) => EventBus): ProxiedSubject {
  const noWire = (): Promise<never> =>
    Promise.reject(new Error('a broker inside the process has no wire to slow down'));
  let accepted = 0;
  let refused = false;
  const cut = async (): Promise<void> => {
    broker.stop();
    // Whoever waits for an answer learns first that there will be none.
    await pause(0);
    if (!refused) await broker.start();
  };
  const heal = async (): Promise<void> => {
    refused = false;
    broker.resume();
    await broker.start();
  };
  const network: NetworkFaults = {
    cut,
    heal,
    halfOpen: () => Promise.resolve(broker.pause()),
    refuse: () => {
      refused = true;
      broker.stop();
      return Promise.resolve();
    },
    latency: noWire,
    throttle: noWire,
    async flap(times, withinMs) {
      for (let n = 0; n < times; n += 1) {
        await cut();
        await pause(withinMs / times);
      }
    },
    get open() {
      return broker.connectionCount;
    },
    get accepted() {
      return accepted;
    },
    sent: 0,
  };
  return {
    network,
    create: (request) => {
      accepted += 1;
      return create(request);
    },
    close: heal,
  };
}

function coreVersion(): string {
  const path = createRequire(__filename).resolve('@omnibus/core/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

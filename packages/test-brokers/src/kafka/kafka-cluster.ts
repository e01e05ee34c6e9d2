import type { ProviderName } from '../choose-provider.js';
import { TestBrokerError } from '../errors.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { mechanismsOf } from './listeners.js';
import { awaitMembership, directAddress, type NodeAddresses } from './membership.js';
import type { KafkaNode, RunningKafka, RunningListener, TlsMaterial } from './running-kafka.js';

/** What a provider that runs Kafka itself hands over: its nodes, and how to be rid of everything. */
export interface KafkaCluster {
  readonly nodes: readonly KafkaNode[];
  readonly layouts: readonly NodeAddresses[];
  readonly tls: TlsMaterial | undefined;
  /** Ends what still runs, frees the ports and removes the files. */
  release(): Promise<void>;
}

/** The names of the listeners that clients use. */
export function clientListeners(options: ResolvedKafkaOptions): string[] {
  return ['CLIENT', ...options.listeners.map(({ name }) => name)];
}

/** A cluster as its users see it. */
export function runningKafka(
  cluster: KafkaCluster,
  options: ResolvedKafkaOptions,
  chosen: { readonly name: ProviderName; readonly reason: string },
): RunningKafka {
  const { nodes, layouts, tls } = cluster;
  const brokers = advertised(layouts, 'CLIENT');
  let stopped: Promise<void> | undefined;
  const usable = (): void => {
    if (stopped === undefined) return;
    throw new TestBrokerError('STOPPED', 'This Kafka was stopped for good; `down` keeps its ports and data.');
  };
  const each = async (act: (node: KafkaNode) => Promise<void>): Promise<void> => {
    usable();
    await Promise.all(nodes.map(act));
  };
  const stop = (): Promise<void> => {
    stopped ??= Promise.all(nodes.map((node) => node.kill())).then(() => cluster.release());
    return stopped;
  };
  const kafka: RunningKafka = {
    brokers,
    directBrokers: layouts.map(directAddress),
    version: options.version,
    provider: chosen.name,
    listeners: runningListeners(options, layouts),
    tls,
    users: options.users,
    nodes,
    node: (index) => nodeAt(nodes, index),
    describe: () =>
      `Kafka ${options.version} at ${brokers.join(', ')}: ${chosen.name}, since ${chosen.reason}`,
    logs: () => nodes.map((node) => node.logs()).join('\n'),
    start: () => each((node) => node.start()).then(() => awaitMembership(layouts, options)),
    down: () => each((node) => node.down()),
    restart: () => kafka.down().then(() => kafka.start()),
    kill: () => each((node) => node.kill()),
    pause: () => each((node) => node.pause()),
    resume: () => each((node) => node.resume()),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return kafka;
}

function nodeAt(nodes: readonly KafkaNode[], index: number): KafkaNode {
  const node = nodes[index];
  if (node !== undefined) return node;
  throw new TestBrokerError(
    'FAULT_UNAVAILABLE',
    `There is no node ${index}; this Kafka has ${nodes.length}, counted from 0.`,
  );
}

function runningListeners(
  options: ResolvedKafkaOptions,
  layouts: KafkaCluster['layouts'],
): Record<string, RunningListener> {
  return Object.fromEntries(
    options.listeners.map((listener) => {
      const { name, protocol } = listener;
      const mechanisms = mechanismsOf(listener);
      return [name, { name, protocol, mechanisms, brokers: advertised(layouts, name) }];
    }),
  );
}

function advertised(layouts: KafkaCluster['layouts'], name: string): string[] {
  return layouts.flatMap(({ clients }) =>
    clients.filter(({ listener }) => listener === name).map((endpoint) => endpoint.advertised),
  );
}

import type { Administrable } from '../administration.js';
import type { ProviderName } from '../choose-provider.js';
import { lifecycleOf, nodeAt } from '../lifecycle.js';
import type { TlsMaterial } from '../tls-files.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { mechanismsOf } from './listeners.js';
import { awaitMembership, directAddress, type NodeAddresses } from './membership.js';
import type { KafkaNode, RunningKafka, RunningListener } from './running-kafka.js';
import type { TokenIssuer } from './tokens.js';

/** What a provider that runs Kafka itself hands over: its nodes, and how to be rid of everything. */
export interface KafkaCluster extends Administrable {
  readonly nodes: readonly KafkaNode[];
  readonly layouts: readonly NodeAddresses[];
  readonly tls: TlsMaterial | undefined;
  readonly tokens: TokenIssuer | undefined;
  /** Ends what still runs, frees the ports and removes the files. */
  release(): Promise<void>;
}

/** The names of the listeners that clients use. */
export function clientListeners(options: ResolvedKafkaOptions): string[] {
  const names = options.listeners.map(({ name }) => name);
  return options.written ? names : ['CLIENT', ...names];
}

/** A cluster as its users see it. */
export function runningKafka(
  cluster: KafkaCluster,
  options: ResolvedKafkaOptions,
  chosen: { readonly name: ProviderName; readonly reason: string },
): RunningKafka {
  const { nodes, layouts, tls, tokens } = cluster;
  const brokers = advertised(layouts, 'CLIENT');
  const [first = 'CLIENT'] = clientListeners(options);
  const shown = advertised(layouts, first);
  return {
    brokers,
    directBrokers: layouts.map(directAddress),
    version: options.version,
    provider: chosen.name,
    listeners: runningListeners(options, layouts),
    tls,
    tokens,
    users: options.users,
    admin: options.admin,
    nodes,
    node: (index) => nodeAt('Kafka', nodes, index),
    describe: () => `Kafka ${options.version} at ${shown.join(', ')}: ${chosen.name}, since ${chosen.reason}`,
    ...lifecycleOf({
      product: 'Kafka',
      nodes,
      awaitWhole: async () => (options.written ? undefined : awaitMembership(layouts, options)),
      administer: (command) => cluster.administer(command),
      release: cluster.release,
    }),
  };
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

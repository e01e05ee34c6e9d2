import { everyUser, type ResolvedKafkaOptions } from './kafka-options.js';
import { type ListenerFiles, listenerSettings } from './listener-settings.js';
import { ADMIN } from './listeners.js';

/** A listener with where it binds, and what others are told. */
export interface Endpoint {
  readonly listener: string;
  /** `host:port`. */
  readonly bind: string;
  /** `host:port`. */
  readonly advertised: string;
}

/** What one node's configuration is made of, beside the options of the whole. */
export interface NodeLayout {
  readonly nodeId: number;
  /** `CLIENT`, then the further ones in the order of the options. */
  readonly clients: readonly Endpoint[];
  /** Brokers among themselves; no proxy ever stands before it. */
  readonly internal: Endpoint;
  /** A plain listener for clients past all proxies; the internal one where clients can reach that. */
  readonly direct?: Endpoint;
  readonly controllerBind: string;
  readonly dataFolder: string;
  readonly files: ListenerFiles;
}

/**
 * The content of `server.properties` of one node.
 *
 * @param controllers `host:port` of every node's controller, in the order of node ids
 */
export function serverProperties(
  options: ResolvedKafkaOptions,
  node: NodeLayout,
  controllers: readonly string[],
): string {
  const users = everyUser(options);
  const settings: Record<string, string> = {
    ...nodeSettings(options, node, controllers),
    ...testSettings(options.nodes, options.version, options.partitionsDefault),
    ...aclSettings(options),
    ...Object.assign({}, ...options.listeners.map((one) => listenerSettings(one, users, node.files))),
    ...options.settings,
  };
  // Backslashes start escapes in this format; nothing else in it needs quoting.
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}`);
  return `${lines.join('\n')}\n`;
}

function nodeSettings(
  options: ResolvedKafkaOptions,
  node: NodeLayout,
  controllers: readonly string[],
): Record<string, string> {
  const protocols = options.listeners.map(({ name, protocol }) => `${name}:${protocol}`);
  const brokerEndpoints = [...node.clients, node.internal, ...(node.direct ? [node.direct] : [])];
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.nodeId),
    'controller.quorum.voters': controllers.map((address, index) => `${index + 1}@${address}`).join(','),
    listeners: [
      ...brokerEndpoints.map(({ listener, bind }) => `${listener}://${bind}`),
      `CONTROLLER://${node.controllerBind}`,
    ].join(','),
    'advertised.listeners': brokerEndpoints
      .map(({ listener, advertised }) => `${listener}://${advertised}`)
      .join(','),
    'listener.security.protocol.map': [
      'CLIENT:PLAINTEXT',
      'INTERNAL:PLAINTEXT',
      'DIRECT:PLAINTEXT',
      'CONTROLLER:PLAINTEXT',
      ...protocols,
    ].join(','),
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': node.dataFolder,
  };
}

function testSettings(nodes: number, version: string, partitionsDefault: number): Record<string, string> {
  const replicas = String(nodes);
  const inSync = nodes === 1 ? '1' : '2';
  return {
    'num.partitions': String(partitionsDefault),
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '4',
    ...shareSettings(version, replicas, inSync),
    // Groups form at once, and tests may use short sessions.
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // A killed node is taken back, and a lost one replaced, after this instead of after 9 s.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Records carry the times of their events, which may be decades ago: retention would remove them.
    'log.retention.ms': '-1',
    'log.segment.delete.delay.ms': '1000',
    // Memory that is taken at the start and that tests never use.
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.index.size.max.bytes': '1048576',
  };
}

function aclSettings({ acls }: ResolvedKafkaOptions): Record<string, string> {
  if (!acls) return {};
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    // The nodes among themselves do not log in.
    'super.users': `User:ANONYMOUS;User:${ADMIN}`,
  };
}

function shareSettings(version: string, replicas: string, inSync: string): Record<string, string> {
  if (Number(version.split('.')[0]) < 4) return {};
  return {
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '4',
  };
}

import type { BrokerNode } from '../broker-node.js';
import type { ProviderName } from '../choose-provider.js';
import type { BrokerLifecycle } from '../lifecycle.js';
import type { TlsMaterial } from '../tls-files.js';
import type { ListenerProtocol, ListenerUser, SaslMechanism } from './listeners.js';
import type { TokenIssuer } from './tokens.js';

/** One node of a running Kafka. */
export type KafkaNode = BrokerNode;

/** A listener beside the plain one, as clients need to know it. */
export interface RunningListener {
  readonly name: string;
  readonly protocol: ListenerProtocol;
  readonly mechanisms: readonly SaslMechanism[];
  /** `host:port` of every node. */
  readonly brokers: readonly string[];
}

/**
 * A Kafka for tests. Nothing of it outlives this process, however this process ends. `administer` runs
 * `kafka-acls`, `kafka-configs`, `kafka-consumer-groups` and `kafka-topics`, which takes a few seconds each time.
 */
export interface RunningKafka extends BrokerLifecycle {
  /** `host:port` of every node's plain listener, as clients are to connect (the proxies of `advertise`). */
  readonly brokers: readonly string[];
  /** `host:port` of every node past all proxies, plain; for looking at the broker while the network fails. */
  readonly directBrokers: readonly string[];
  /** The version; `unknown` for brokers that were found at an address. */
  readonly version: string;
  readonly provider: ProviderName;
  /** The listeners beside the plain one, by name. */
  readonly listeners: Readonly<Record<string, RunningListener>>;
  /** Present when a listener uses TLS. */
  readonly tls: TlsMaterial | undefined;
  /** Present when a listener takes signed tokens. */
  readonly tokens: TokenIssuer | undefined;
  /** Who may log in where SASL is used. */
  readonly users: readonly ListenerUser[];
  /** Who may do everything where SASL is used; present where there are ACLs. */
  readonly admin: ListenerUser | undefined;
  /** Empty for brokers that were found at an address. */
  readonly nodes: readonly KafkaNode[];
  /** A node by its place, 0 for the first. Throws `FAULT_UNAVAILABLE` when there is none. */
  node(index: number): KafkaNode;
  /** What runs where, and why this provider was taken, in a line. */
  describe(): string;
}

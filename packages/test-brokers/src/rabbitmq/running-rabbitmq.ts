import type { Administrable } from '../administration.js';
import type { BrokerNode } from '../broker-node.js';
import type { ProviderName } from '../choose-provider.js';
import type { BrokerLifecycle } from '../lifecycle.js';
import type { ServerCertificate, TlsMaterial } from '../tls-files.js';
import type { RabbitMQUserOptions } from './rabbitmq-users.js';

/** One node of a running RabbitMQ. */
export interface RabbitMQNode extends BrokerNode, Administrable {
  /** `amqp://host:port` of its plain listener. */
  readonly url: string;
  /** Its Erlang name, such as `rabbit1@localhost`. */
  readonly name: string;
  /** `administer(['rabbitmqctl', ...args])`; resolves to what it writes. Takes a second or two. */
  ctl(...args: readonly string[]): Promise<string>;
}

/** The ports with TLS, and what their clients need. */
export interface RabbitMQTls extends TlsMaterial {
  /** `amqps://host:port` of every node. */
  readonly urls: readonly string[];
  /** Lets the nodes show another certificate to clients that connect from now on. */
  show(certificate: ServerCertificate): Promise<void>;
}

/**
 * A RabbitMQ for tests. Nothing of it outlives this process, however this process ends. `administer` runs
 * `rabbitmqctl`, `rabbitmq-plugins`, `rabbitmq-diagnostics` and `rabbitmq-queues` against the first node that runs.
 */
export interface RunningRabbitMQ extends BrokerLifecycle {
  /** `amqp://host:port` of every node; user and password are `guest`. */
  readonly urls: readonly string[];
  /** `http://host:port` of the first node's management plugin; present when it was asked for. */
  readonly managementUrl: string | undefined;
  /** Such as `3.10.8`. */
  readonly version: string;
  readonly provider: ProviderName;
  /** Present when TLS was asked for. */
  readonly tls: RabbitMQTls | undefined;
  /** Who may log in beside `guest`. */
  readonly users: readonly RabbitMQUserOptions[];
  /** Empty for one that was found at an address. */
  readonly nodes: readonly RabbitMQNode[];
  /** A node by its place, 0 for the first. Throws `FAULT_UNAVAILABLE` when there is none. */
  node(index: number): RabbitMQNode;
  /** What runs where, and why this provider was taken, in a line. */
  describe(): string;
}

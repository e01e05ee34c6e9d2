import type { ProviderName } from '../choose-provider.js';
import type { ListenerProtocol, ListenerUser, SaslMechanism } from './listeners.js';

/** What a node does now. */
export type NodeState = 'running' | 'paused' | 'down';

/** One node of a running Kafka. Its data stay until the whole is stopped. */
export interface KafkaNode {
  /** 1 for the first node. */
  readonly id: number;
  readonly state: NodeState;
  /** Of the broker's process; undefined while it is down, and where it is not a process of this machine. */
  readonly pid: number | undefined;
  /** The newest output of the broker. */
  logs(): string;
  /** Starts it again on the same ports with the same data; resolves when it serves. Nothing if it runs. */
  start(): Promise<void>;
  /** Ends it in good order, as an operator would; its data stay. */
  down(): Promise<void>;
  /** Ends it with SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open, nothing is answered. */
  pause(): Promise<void>;
  /** Lets a frozen one go on (SIGCONT). */
  resume(): Promise<void>;
}

/** A listener beside the plain one, as clients need to know it. */
export interface RunningListener {
  readonly name: string;
  readonly protocol: ListenerProtocol;
  readonly mechanisms: readonly SaslMechanism[];
  /** `host:port` of every node. */
  readonly brokers: readonly string[];
}

/** What clients of TLS listeners need; everything was made for this Kafka and is removed with it. */
export interface TlsMaterial {
  /** The CA that signed the brokers' certificates, as PEM. */
  readonly ca: string;
  readonly caPath: string;
  /** A client certificate of the same CA for mTLS, as PEM. */
  readonly clientCertificate: string;
  readonly clientCertificatePath: string;
  /** Its key, as PEM. */
  readonly clientKey: string;
  readonly clientKeyPath: string;
}

/** A Kafka for tests. Nothing of it outlives this process, however this process ends. */
export interface RunningKafka extends AsyncDisposable {
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
  /** Who may log in where SASL is used. */
  readonly users: readonly ListenerUser[];
  /** Empty for brokers that were found at an address. */
  readonly nodes: readonly KafkaNode[];
  /** A node by its place, 0 for the first. Throws `FAULT_UNAVAILABLE` when there is none. */
  node(index: number): KafkaNode;
  /** What runs where, and why this provider was taken, in a line. */
  describe(): string;
  /** The newest output of all brokers. */
  logs(): string;
  /** Starts the nodes that are down; resolves when all serve. */
  start(): Promise<void>;
  /** Ends all nodes in good order, as an operator would; ports and data stay for `start`. */
  down(): Promise<void>;
  /** `down`, then `start`: same ports, same data. */
  restart(): Promise<void>;
  /** SIGKILL to all nodes; ports and data stay for `start`. */
  kill(): Promise<void>;
  /** SIGSTOP to all nodes. */
  pause(): Promise<void>;
  /** SIGCONT to all nodes that are paused. */
  resume(): Promise<void>;
  /** Ends everything for good and removes every file. Again: nothing. Brokers found at an address stay. */
  stop(): Promise<void>;
}

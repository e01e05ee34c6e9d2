import type { EventBus } from '@omnibus/core';
import type { Clock } from '@omnibus/core/transport';

import type { BusOverrides, CreateRequest } from './create-request.js';
import type { NetworkFaults } from './network-faults.js';
import type { Secured } from './security/secured.js';

export type { BusOverrides, CreateRequest };

/**
 * What an adapter hands to the suite: how to make a bus, what the broker can do, and, where it is possible, how to look
 * at the broker behind the bus's back and how to hurt it. Everything a test needs of one broker is in here, so that the
 * tests themselves know none.
 *
 * Only `name`, `create` and `capabilities` are required. What is left out turns the tests that need it into
 * `not-run` with the reason, which fails the run where their ids are claimed.
 */
export interface ConformanceSubject {
  /** Short name of the bus: `kafka`, `nats`. Names the report and the tests. */
  readonly name: string;
  /** What the bus was tested against. A function is called after `setup`. */
  readonly broker?: BrokerInfo | (() => BrokerInfo | Promise<BrokerInfo>);
  readonly capabilities: SubjectCapabilities;

  /** Called once before the first test, for example to start the broker. @default nothing */
  setup?(): Promise<void>;
  /** Called once after the last test. @default nothing */
  teardown?(): Promise<void>;

  /**
   * A new bus on the same broker; called many times, also concurrently. Must not connect: the suite does.
   * Two buses with the same namespace and group compete; with different namespaces they never see each other.
   */
  create(request: CreateRequest): EventBus | Promise<EventBus>;

  /**
   * Path or `file:` URL of a plain JavaScript module (ESM or CJS) that exports `create`, the same factory, for child
   * processes: tests with `SIGKILL` and `SIGSTOP` need real ones. Needed when `capabilities.processes` is true.
   */
  readonly processModule?: string | URL;
  /** Environment of the child processes, for example the broker's address. A function is called after `setup`. @default {} */
  readonly processEnv?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);

  /** The client that the bus needs beside it, as its users install it. @default the bus needs none */
  readonly peerClient?: PeerClient;
  readonly inspect?: Inspect;
  readonly faults?: Faults;
  /**
   * What the broker confirmed is still there after `faults.kill`: it writes before it answers, or what a killed process
   * had written is with the operating system. @default false: the kit kills it only where nothing confirmed is demanded
   */
  readonly survivesKill?: boolean;
  /** A broker of the same kind that authenticates and encrypts, started for the tests that need it. */
  readonly secured?: Secured;
  /** The broker's own client, used by hand: what the speed of the bus is measured against. */
  readonly raw?: RawClient;
  /** As `create`, with a clock and a source of jitter of the test's. Only for buses that can be made so. */
  createTimed?(request: CreateRequest, time: TestTime): EventBus | Promise<EventBus>;
  /** As `create`, on a client that the bus is given instead of making one. Only for buses that take one. */
  createOnGivenClient?(request: CreateRequest): Promise<BusOnGivenClient>;
  /**
   * Options for `create` that log in with this password, one for each way in which the bus can be given one, and once more
   * with an address where nothing listens. The password is wrong: the test is about where it shows. A function of what
   * there is after `setup`. Only for buses that can log in.
   */
  credentials?(password: string): readonly BusOverrides[];
  /**
   * Options that bound what the broker keeps, and how many records that is in the whole stream. Only for buses that can be
   * told.
   */
  readonly boundedStream?: { readonly overrides: BusOverrides; readonly maxRecords: number };
  /** @default DEFAULT_BUDGET */
  readonly budget?: Partial<Budget>;
}

/** A package that the bus imports and its users install. */
export interface PeerClient {
  /** Name of the client's package, for example `kafkajs`. */
  readonly packageName: string;
}

/** What the subject says of its broker, after `setup`. */
export async function brokerInfoOf({ broker }: ConformanceSubject): Promise<BrokerInfo | undefined> {
  return typeof broker === 'function' ? broker() : broker;
}

/** The broker under test, for the report. */
export interface BrokerInfo {
  readonly name: string;
  readonly version: string;
}

/**
 * What bus and broker can do. A missing capability makes a test `n/a`, or inverts it: the call that needs it must then
 * reject with the code `UNSUPPORTED`.
 */
export interface SubjectCapabilities {
  /** Events survive a restart of the broker. */
  readonly durable: boolean;
  /** Several buses may share a group. */
  readonly competing: boolean;
  /** History can be read again: not at all, from a position, or also from a time. */
  readonly history: 'none' | 'position' | 'time';
  /** Other processes reach the same broker. False for a bus that lives inside one process. */
  readonly processes: boolean;
  /** The broker is reached over a socket. */
  readonly sockets: boolean;
  /** A retry holds back the later events of its key. */
  readonly orderedRetry: boolean;
  /** A publish of which one event is refused as input places none of the others. False: it places all of the others. */
  readonly batchAtomic: boolean;
  /** What was published before a group existed reaches it, when it starts from the earliest. */
  readonly retained: boolean;
  /** The broker drops old events (by time, size or on request), so that history can start after the beginning. */
  readonly trimming: boolean;
  /** The bus says what shape its stream has (partitions, arguments), which may differ from what exists on the broker. */
  readonly topology: boolean;
  /**
   * How members of a group divide the work. `partition`: each owns partitions, and with them their keys, until it leaves
   * or is lost. `event`: whoever is free takes the next key.
   */
  readonly sharing: 'partition' | 'event';
  /** CloudEvents on the wire, in binary and structured mode. */
  readonly cloudEvents: boolean;
  /** The broker authenticates and encrypts, and `create` can be told how. */
  readonly security: boolean;
}

/** How long things may take on this broker. Tests fail when they take longer; nothing waits for the whole of it. */
export interface Budget {
  /** From a publish to the handler, once consuming. @default 5000 */
  readonly deliverMs: number;
  /** From the death of a member to its events reaching another. @default 15000 */
  readonly takeoverMs: number;
  /** From the end of a fault to normal work. @default 10000 */
  readonly recoverMs: number;
  /** How long a member of a group may be silent before the broker takes it for dead. @default 10000 */
  readonly leaseMs: number;
  /** How long a connection may be silent until the bus takes it for broken: two heartbeats. @default 10000 */
  readonly silenceMs: number;
  /** From a connect that must be refused to its refusal. @default 2000 */
  readonly refuseMs: number;
  /** From a publish to the handler at rest, at the median. @default 10 */
  readonly idleLatencyMs: number;
}

/** The budget of a subject that names none. */
export const DEFAULT_BUDGET: Budget = Object.freeze({
  deliverMs: 5_000,
  takeoverMs: 15_000,
  recoverMs: 10_000,
  leaseMs: 10_000,
  silenceMs: 10_000,
  refuseMs: 2_000,
  idleLatencyMs: 10,
});

/** A record as the broker has it. */
export interface RawRecord {
  readonly partition: number;
  readonly position: string;
  readonly key: string | undefined;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A record that a foreign, careless or hostile producer writes. */
export interface RawWrite {
  readonly key?: string;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string | Uint8Array>>;
  /** @default where the broker's own client would put it */
  readonly partition?: number;
}

/** What the broker was told, in terms that all brokers share, plus the raw settings for the failure message. */
export interface BrokerSettings {
  /** The stream is stored durably and replicated as configured. */
  readonly durableStorage: boolean;
  /** A publish is acknowledged by the broker after it is stored, by every replica that must have it. */
  readonly confirmedPublish: boolean;
  /** A repeated send cannot duplicate or reorder, or the adapter proves the same by other means (named in `details`). */
  readonly orderedPublish: boolean;
  /** Where a new group starts when nothing else is configured. */
  readonly groupStartsFrom: 'earliest' | 'latest';
  /** The client acknowledges by itself. Must be false. */
  readonly autoCommit: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The broker's own truth, read or written past the bus, with the broker's own client. */
export interface Inspect {
  /** Writes a record straight into the stream of the namespace. Resolves when stored. */
  putRaw?(
    namespace: string,
    record: RawWrite,
  ): Promise<{ readonly partition: number; readonly position: string }>;
  /** Everything in the stream of the namespace, in order within each partition. */
  readRaw?(namespace: string): Promise<readonly RawRecord[]>;
  /** Everything in the dead letter destination of the namespace. */
  readRawDeadLetters?(namespace: string): Promise<readonly RawRecord[]>;
  /** How many events the group has not settled. */
  backlog?(namespace: string, group: string): Promise<number>;
  /** Groups that exist for the namespace. */
  groups?(namespace: string): Promise<readonly string[]>;
  /** Where the group stands, as text that changes when the group moves. */
  groupPositions?(namespace: string, group: string): Promise<Readonly<Record<string, string>>>;
  /** Open connections to the broker, those of `inspect` itself not counted. */
  connections?(): Promise<number>;
  /** Names of everything that exists on the broker for the namespace: topics, streams, queues, groups, members. */
  artifacts?(namespace: string): Promise<readonly string[]>;
  /** What a bus made with no overrides tells the broker. The namespace has been published to and consumed from. */
  settings?(namespace: string, group: string): Promise<BrokerSettings>;
  /** Creates the stream of the namespace, before any bus does, with other settings than the bus would use. */
  createTopology?(namespace: string, options: { readonly partitions: number }): Promise<void>;
  /** Makes the broker forget the first `count` events of every partition. */
  trim?(namespace: string, count: number): Promise<void>;
  /** Removes everything of the namespace. Called after each test; must not fail for what is not there. */
  deleteTopology?(namespace: string): Promise<void>;
}

/** How to hurt the broker. Each resolves when it has happened, or when the broker is ready again. */
export interface Faults {
  /** Stops the broker orderly. */
  stop?(): Promise<void>;
  /** Kills the broker. */
  kill?(): Promise<void>;
  /** Resolves when groups that were made just now survive `kill`. Left out where they do at once. */
  settle?(): Promise<void>;
  /** Starts a stopped or killed broker on the same address; resolves when it is ready. */
  start?(): Promise<void>;
  /** The broker keeps its connections and answers nothing (`SIGSTOP`). */
  pause?(): Promise<void>;
  /** Ends `pause`. */
  resume?(): Promise<void>;
  /**
   * Removes what the buses of the namespace made on the broker, while they are at work: streams, topics, queues, and
   * groups as far as the broker lets go of them.
   */
  removeTopology?(namespace: string): Promise<void>;
  /** From now on dead letters of the namespace cannot be written; resolves to a function that heals it. */
  breakDeadLetters?(namespace: string): Promise<() => Promise<void>>;
  /**
   * For a bus that lives in one process with its broker: the member of this `consumerName` dies without a word, as by
   * `SIGKILL`. Others use child processes.
   */
  killMember?(consumerName: string): Promise<void>;
  /** Likewise: the member hangs until its lease has run out, as by `SIGSTOP`. */
  freezeMember?(consumerName: string): Promise<void>;
  /** Ends `freezeMember`. */
  thawMember?(consumerName: string): Promise<void>;
  /** The nodes of a broker that is a cluster, three or more, each of which can be hurt by itself. */
  readonly nodes?: readonly NodeFaults[];
  /** A way to the broker that can be cut, delayed and refused, and a factory of buses that go this way. */
  throughProxy?(): Promise<ProxiedSubject>;
}

/** How to hurt one node of a cluster. Each resolves when it has happened, or when the node serves again. */
export interface NodeFaults {
  /** Orderly; data stay. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  pause(): Promise<void>;
  /** Ends `pause`. */
  resume(): Promise<void>;
}

/** A bus that was given its client. */
export interface BusOnGivenClient {
  readonly bus: EventBus;
  /** Uses the client without the bus. Rejects when it was closed. */
  works(): Promise<void>;
}

/** Time that a test moves by hand. */
export interface TestTime {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** The same work as the bus does, with the same durability, written by hand on the broker's own client. */
export interface RawClient {
  /**
   * A producer and a consumer on the stream of the namespace, which exists. The consumer has joined a group of its own
   * when this resolves; it parses each body as JSON, calls `onRecord`, and commits as often as the bus does.
   */
  open(namespace: string, onRecord: (body: unknown) => void): Promise<RawSession>;
}

/** A producer and a consumer that work. */
export interface RawSession {
  /** One call of the client: resolves when every record is as durable as after `bus.publish`. */
  publish(records: readonly { readonly key: string; readonly value: string }[]): Promise<void>;
  close(): Promise<void>;
}

/** Buses behind a faulty network. */
export interface ProxiedSubject {
  readonly network: NetworkFaults;
  create(request: CreateRequest): EventBus | Promise<EventBus>;
  /** Environment that makes `processModule` go this way too. @default none: children cannot */
  readonly processEnv?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

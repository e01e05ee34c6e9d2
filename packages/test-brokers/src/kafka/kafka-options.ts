import { randomBytes } from 'node:crypto';
import { TestBrokerError } from '../errors.js';
import { type Report, reportToStandardError } from '../report.js';
import { listenerProblems } from './listener-problems.js';
import { ADMIN, type ListenerOptions, type ListenerUser } from './listeners.js';
import type { WrittenKafka } from './written-kafka.js';

/** The Kafka that is started when nobody asks for another. */
export const DEFAULT_KAFKA_VERSION = '4.3.1';

/** A listener of a node, and where it really listens. */
export interface BoundListener {
  /** 1 for the first node. */
  readonly nodeId: number;
  /** `CLIENT` for the plain one, else the name given in `listeners`. */
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

/** What Kafka to start. Everything may be left out. */
export interface KafkaOptions {
  /** How many nodes, each broker and controller. @default 1 */
  readonly nodes?: 1 | 3;
  /** A released version, such as `3.9.1`. @default `OMNIBUS_KAFKA_VERSION`, else `DEFAULT_KAFKA_VERSION` */
  readonly version?: string;
  /** Partitions of a topic that is created without saying how many (`num.partitions`). @default 1 */
  readonly partitionsDefault?: number;
  /** Broker settings, which win over those chosen for tests. @default {} */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Tells what address (`host:port`) clients are told for a listener, so that a proxy can stand before it.
   * Called once per listener and node before the broker starts, and again when ports turn out to be taken
   * and the start is repeated. @default the address that it listens on
   */
  readonly advertise?: (bound: BoundListener) => string | Promise<string>;
  /** Listeners beside the plain one, with TLS or SASL. @default [] */
  readonly listeners?: readonly ListenerOptions[];
  /** Who may log in where SASL is used. @default one user: `omnibus`, `omnibus-secret` */
  readonly users?: readonly ListenerUser[];
  /**
   * Whether users may do only what ACLs say. The plain listener and one with TLS alone do not know who connects, and
   * let whoever does do everything, as the user `admin` may on the others. @default false
   */
  readonly acls?: boolean;
  /**
   * A configuration in place of ours, to try one as it is written somewhere. The first of `listeners` is that of its
   * clients; there is no plain one.
   * @default ours
   */
  readonly written?: WrittenKafka;
  /** Java heap of each node, in MiB. @default 512 */
  readonly heapMb?: number;
  /**
   * Further arguments of each node's Java, after ours, which make it start fast; for a measurement give
   * `['-XX:TieredStopAtLevel=4']`. @default []
   */
  readonly jvmArgs?: readonly string[];
  /** How long a start may take until every node serves, without fetching and installing. @default 60000 */
  readonly startTimeoutMs?: number;
  /** Is told, line by line, what happens. @default writes to standard error */
  readonly report?: Report;
}

/** `KafkaOptions` with every default filled in. */
export type ResolvedKafkaOptions = Required<Omit<KafkaOptions, 'advertise' | 'written'>> &
  Pick<KafkaOptions, 'advertise' | 'written'> & {
    /** Who may do everything; present where there are ACLs. */
    readonly admin: ListenerUser | undefined;
  };

const OPTION_NAMES: readonly string[] = [
  'nodes',
  'version',
  'partitionsDefault',
  'settings',
  'advertise',
  'listeners',
  'users',
  'acls',
  'written',
  'heapMb',
  'jvmArgs',
  'startTimeoutMs',
  'report',
];

/** Fills in the defaults; rejects what cannot be used, all problems in one `INVALID_OPTIONS`. */
export function resolveKafkaOptions(
  options: KafkaOptions,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedKafkaOptions {
  const resolved: ResolvedKafkaOptions = {
    nodes: options.nodes ?? 1,
    version: options.version ?? (env.OMNIBUS_KAFKA_VERSION || DEFAULT_KAFKA_VERSION),
    partitionsDefault: options.partitionsDefault ?? 1,
    settings: options.settings ?? {},
    listeners: options.listeners ?? [],
    users: options.users ?? [{ username: 'omnibus', password: 'omnibus-secret' }],
    acls: options.acls ?? false,
    admin: options.acls ? { username: ADMIN, password: randomBytes(16).toString('hex') } : undefined,
    heapMb: options.heapMb ?? 512,
    jvmArgs: options.jvmArgs ?? [],
    startTimeoutMs: options.startTimeoutMs ?? 60_000,
    report: options.report ?? reportToStandardError,
    ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
    ...(options.written === undefined ? {} : { written: options.written }),
  };
  const problems = [...optionProblems(options, resolved), ...listenerProblems(resolved)];
  if (problems.length > 0) {
    throw new TestBrokerError('INVALID_OPTIONS', `startKafka: ${problems.join('; ')}.`);
  }
  return resolved;
}

/** Everybody who may log in. */
export function everyUser({ users, admin }: ResolvedKafkaOptions): ListenerUser[] {
  return admin === undefined ? [...users] : [...users, admin];
}

/** A node as errors and lines name it. */
export function nodeName(options: ResolvedKafkaOptions, nodeId: number): string {
  return `Kafka ${options.version}${options.nodes === 1 ? '' : `, node ${nodeId}`}`;
}

function* optionProblems(given: KafkaOptions, resolved: ResolvedKafkaOptions): Generator<string> {
  for (const name of Object.keys(given)) {
    if (!OPTION_NAMES.includes(name)) yield `there is no option "${name}" (${OPTION_NAMES.join(', ')})`;
  }
  if (resolved.nodes !== 1 && resolved.nodes !== 3) yield 'nodes can be 1 or 3';
  if (given.written && (resolved.listeners.length !== 1 || given.settings || given.acls || given.users))
    yield 'written is the whole: it takes one listener, and no settings, acls or users';
  if (typeof resolved.acls !== 'boolean') yield 'acls can be true or false';
  if (!/^\d+\.\d+\.\d+$/.test(resolved.version)) {
    yield `version is "${resolved.version}", but must be a release such as ${DEFAULT_KAFKA_VERSION}`;
  } else if (Number(resolved.version.split('.')[0]) < 3) {
    yield `version is ${resolved.version}, but must be 3.9 or newer (a broker without ZooKeeper)`;
  }
  for (const name of ['partitionsDefault', 'heapMb', 'startTimeoutMs'] as const) {
    if (!Number.isInteger(resolved[name]) || resolved[name] < 1) yield `${name} must be a positive integer`;
  }
}

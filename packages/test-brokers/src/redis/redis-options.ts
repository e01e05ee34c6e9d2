import { TestBrokerError } from '../errors.js';
import { type Report, reportToStandardError } from '../report.js';
import { SERVER_CERTIFICATES, type ServerCertificate } from '../tls-files.js';
import type { RedisUser } from './ask.js';

/** A server and its major version. */
export type RedisServerName = 'redis-7' | 'redis-8' | 'valkey-8';

/** The servers that can be asked for. */
export const REDIS_SERVERS: readonly RedisServerName[] = ['redis-7', 'redis-8', 'valkey-8'];

/** Who may log in. */
export interface RedisUserOptions extends RedisUser {
  /** What the user may do, in the language of `ACL SETUSER`. @default '~* &* +@all' */
  readonly rules?: string;
}

/** What Redis to start. Everything may be left out. */
export interface RedisOptions {
  /**
   * The server and its major version. @default `OMNIBUS_REDIS_SERVER`, else whatever is there: what the path
   * has, else Debian's Redis; in Docker `redis-8`
   */
  readonly server?: RedisServerName;
  /** A `redis-server` or `valkey-server` to run, as a path; natively only. @default found by `server` */
  readonly binary?: string;
  /**
   * Whether what is confirmed is on the disk (`appendonly yes`, `appendfsync always`). Otherwise nothing is
   * kept: a node that was down or killed starts empty. @default false
   */
  readonly durable?: boolean;
  /** `maxmemory` of each node in MiB, with `noeviction`. @default no limit */
  readonly maxMemoryMb?: number;
  /** Further lines of `redis.conf`, after ours, such as `['min-replicas-to-write 1']`. @default [] */
  readonly config?: readonly string[];
  /** Who may log in. When there are any, nobody gets in without logging in. @default [] */
  readonly users?: readonly RedisUserOptions[];
  /** How long a start may take until every node serves, without installing. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Is told, line by line, what happens. @default writes to standard error */
  readonly report?: Report;
}

/** What can be asked of a single Redis beside that. */
export interface SingleRedisOptions extends RedisOptions {
  /**
   * Whether there is a second port with TLS; `mutual` asks clients for a certificate too. @default false
   */
  readonly tls?: boolean | 'mutual';
  /** What it shows to clients of that port; `tls.show` changes it while it runs. @default 'valid' */
  readonly serverCertificate?: ServerCertificate;
  /** Whether it listens on a Unix socket, too; natively only. @default false */
  readonly unixSocket?: boolean;
}

/** What can be asked of a Redis of several nodes beside that. */
export interface RedundantRedisOptions extends RedisOptions {
  /**
   * After how many milliseconds without an answer a node counts as lost (Sentinel: `down-after-milliseconds`,
   * Cluster: `cluster-node-timeout`). @default 2000
   */
  readonly failureAfterMs?: number;
}

/** How the nodes work together. */
export type RedisTopology = 'single' | 'sentinel' | 'cluster';

/** The options with every default filled in. */
export interface ResolvedRedisOptions {
  readonly topology: RedisTopology;
  /** Undefined: any. */
  readonly server: RedisServerName | undefined;
  readonly binary: string | undefined;
  readonly durable: boolean;
  readonly maxMemoryMb: number | undefined;
  readonly config: readonly string[];
  readonly users: readonly Required<RedisUserOptions>[];
  readonly tls: boolean | 'mutual';
  readonly serverCertificate: ServerCertificate;
  readonly unixSocket: boolean;
  readonly failureAfterMs: number;
  readonly startTimeoutMs: number;
  readonly report: Report;
}

const COMMON: readonly string[] = [
  'server',
  'binary',
  'durable',
  'maxMemoryMb',
  'config',
  'users',
  'startTimeoutMs',
  'report',
];
const NAMES: Readonly<Record<RedisTopology, readonly string[]>> = {
  single: [...COMMON, 'tls', 'serverCertificate', 'unixSocket'],
  sentinel: [...COMMON, 'failureAfterMs'],
  cluster: [...COMMON, 'failureAfterMs'],
};
const FUNCTIONS: Readonly<Record<RedisTopology, string>> = {
  single: 'startRedis',
  sentinel: 'startRedisSentinel',
  cluster: 'startRedisCluster',
};

/** Fills in the defaults; rejects what cannot be used, all problems in one `INVALID_OPTIONS`. */
export function resolveRedisOptions(
  topology: RedisTopology,
  options: SingleRedisOptions & RedundantRedisOptions,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedRedisOptions {
  const { users = [] } = options;
  const resolved: ResolvedRedisOptions = {
    topology,
    server: options.server ?? ((env.OMNIBUS_REDIS_SERVER || undefined) as RedisServerName | undefined),
    binary: options.binary,
    durable: options.durable ?? false,
    maxMemoryMb: options.maxMemoryMb,
    config: options.config ?? [],
    users: users.map(({ username, password, rules = '~* &* +@all' }) => ({ username, password, rules })),
    tls: options.tls ?? false,
    serverCertificate: options.serverCertificate ?? 'valid',
    unixSocket: options.unixSocket ?? false,
    failureAfterMs: options.failureAfterMs ?? 2_000,
    startTimeoutMs: options.startTimeoutMs ?? 30_000,
    report: options.report ?? reportToStandardError,
  };
  const problems = [...unknownNames(topology, options), ...problemsOf(resolved)];
  if (problems.length === 0) return resolved;
  throw new TestBrokerError('INVALID_OPTIONS', `${FUNCTIONS[topology]}: ${problems.join('; ')}.`);
}

function* unknownNames(topology: RedisTopology, given: object): Generator<string> {
  for (const name of Object.keys(given)) {
    if (!NAMES[topology].includes(name)) yield `there is no option "${name}" (${NAMES[topology].join(', ')})`;
  }
}

function* problemsOf(options: ResolvedRedisOptions): Generator<string> {
  const { server, config } = options;
  if (server !== undefined && !REDIS_SERVERS.includes(server)) {
    yield `server is "${server}", but can be ${REDIS_SERVERS.join(', ')}`;
  }
  yield* tlsProblems(options);
  for (const name of ['maxMemoryMb', 'failureAfterMs', 'startTimeoutMs'] as const) {
    const value = options[name] ?? 1;
    if (!Number.isInteger(value) || value < 1) yield `${name} must be a positive integer`;
  }
  if (config.some((line) => /[\r\n]/.test(line))) yield 'every element of config must be one line';
  for (const { username, password, rules } of options.users) {
    // These become words of a line of redis.conf.
    if (!/^[\w.-]+$/.test(username)) yield `user name "${username}" may only hold letters, digits, _ . -`;
    if (!/^[\w.-]+$/.test(password)) yield `the password of ${username} may only hold letters, digits, _ . -`;
    if (['default', ADMIN].includes(username)) yield `user name "${username}" is taken`;
    if (/[\r\n]/.test(rules)) yield `the rules of ${username} must be one line`;
  }
}

function* tlsProblems({ tls, serverCertificate }: ResolvedRedisOptions): Generator<string> {
  if (![true, false, 'mutual'].includes(tls)) yield 'tls can be true, false or "mutual"';
  if (!SERVER_CERTIFICATES.includes(serverCertificate)) {
    yield `serverCertificate is "${serverCertificate}", but can be ${SERVER_CERTIFICATES.join(', ')}`;
  }
  if (tls === false && serverCertificate !== 'valid') yield 'serverCertificate needs tls';
}

/** The user that the launcher itself logs in as where users are given. */
export const ADMIN = 'omnibus-admin';

import {
  bytes,
  type CredentialsSource,
  type CrossCheck,
  durationMs,
  type EventBusOptions,
  eventBusChecks,
  eventBusRules,
  flag,
  integer,
  matching,
  object,
  type PasswordSettings,
  type ResolvedEventBusOptions,
  type RulesFor,
  required,
  resolveWith,
  text,
} from '@omnibus/core/transport';
import type { Cluster, Redis } from 'ioredis';
import { type Address, addressesRule, urlRule } from './addresses.js';
import {
  type RedisSecurityOptions,
  type RedisSecuritySettings,
  redisCredentialsRule,
  securityChecks,
  securityRule,
} from './security.js';

/** A master that sentinels look after. */
export interface RedisSentinelOptions {
  /** Name of the master, as the sentinels know it. */
  readonly name: string;
  /** Addresses of sentinels: a list of `host:port`, or one text with commas. */
  readonly nodes: string | readonly string[];
  /** What logs in at the sentinels, as `security.credentials` does at the servers. @default none */
  readonly credentials?: RedisSecurityOptions['credentials'];
}

/** A Redis Cluster. */
export interface RedisClusterOptions {
  /** Addresses to find the cluster by: a list of `host:port`, or one text with commas. */
  readonly nodes: string | readonly string[];
}

/**
 * What a publish waits for beside the answer of the server. A server answers when it has the events in memory; what is
 * neither on its disk nor on a replica is lost with it.
 */
export interface RedisDurabilityOptions {
  /** Replicas that must have the events (`WAIT`). @default 0 */
  readonly replicas?: number;
  /**
   * The server's own append-only file must have them on disk (`WAITAOF`: Redis 7.2 and newer, Valkey). `connect` refuses
   * servers without the command (`UNSUPPORTED`), or without such a file (`CONFIGURATION`).
   * @default false
   */
  readonly fsync?: boolean;
  /**
   * How long to wait for both, in milliseconds; with `appendfsync everysec` a disk may take two seconds. Then the publish is
   * tried again, until `publish.timeoutMs` is over.
   * @default 3000
   */
  readonly timeoutMs?: number;
}

/** What of the stream may be forgotten. By default everything is kept for ever. */
export interface RedisRetentionOptions {
  /** Keep about this many events in each partition. @default all */
  readonly maxLength?: number;
  /** Keep events of this age, in milliseconds. @default for ever */
  readonly maxAgeMs?: number;
  /**
   * Forget also what a group has not handled yet. Without it the slowest group of the stream decides how much is kept,
   * also one that is not used any more.
   * @default false
   */
  readonly trimUnread?: boolean;
}

/** Options of `RedisEventBus`, beside those of every bus. All may be left out. */
export interface RedisEventBusOptions extends EventBusOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS. @default 'redis://localhost:6379' */
  readonly url?: string;
  /** Path of the server's Unix socket, instead of `url`. @default none */
  readonly path?: string;
  /** A master that sentinels look after, instead of `url`. @default none */
  readonly sentinel?: RedisSentinelOptions;
  /** A Redis Cluster, instead of `url`. @default none */
  readonly cluster?: RedisClusterOptions;
  /**
   * A client of ioredis to copy connections from, instead of `url`: a `Redis` or a `Cluster`. It is neither used nor
   * changed nor closed.
   * @default none
   */
  readonly redis?: Redis | Cluster;
  /** Number of the database. A Cluster has only 0. @default that of `url`, or 0 */
  readonly db?: number;
  /** How the connections are protected, and who the client is. @default no TLS, no login */
  readonly security?: RedisSecurityOptions;
  /** Streams are `{streamPrefix}:stream`, `{streamPrefix}:stream:1` and so on. @default 'events' */
  readonly streamPrefix?: string;
  /**
   * Partitions of the stream: how many processes of one group can share the work. A stream that exists with more is used
   * as it is; with fewer is an error (`CONFIGURATION`), because keys would change their partition. Services with
   * eventsource-py know one partition: set 1 to share a stream with them. From 1 to 1,000.
   * @default 8
   */
  readonly partitions?: number;
  /** A process that is not heard of for this long loses its partitions, in milliseconds. @default 10000 */
  readonly leaseMs?: number;
  /** How often a consumer tells that it lives, and learns of other processes, in milliseconds. @default 1000 */
  readonly heartbeatIntervalMs?: number;
  /** Most events in one read, of all partitions together. @default 1000 */
  readonly maxReadCount?: number;
  /** About how many bytes one read may bring, going by the largest events of late. @default 8388608 (8 MiB) */
  readonly maxReadBytes?: number;
  /** What a publish waits for. @default the answer of the server */
  readonly durability?: RedisDurabilityOptions;
  /** What of the stream may be forgotten. @default nothing */
  readonly retention?: RedisRetentionOptions;
  /** How long a command may take, in milliseconds. Then its connection is broken and made anew. @default 5000 */
  readonly requestTimeoutMs?: number;
}

/** `RedisSentinelOptions`, complete. */
export interface RedisSentinelSettings {
  readonly name: string;
  readonly nodes: readonly Address[];
  readonly credentials: CredentialsSource<PasswordSettings> | undefined;
}

/** What connections are made with. */
export interface RedisConnectionSettings {
  readonly url: URL | undefined;
  readonly path: string | undefined;
  readonly sentinel: RedisSentinelSettings | undefined;
  readonly cluster: { readonly nodes: readonly Address[] } | undefined;
  readonly redis: Redis | Cluster | undefined;
  readonly db: number | undefined;
  readonly security: RedisSecuritySettings;
  readonly requestTimeoutMs: number;
}

/** `RedisRetentionOptions`, complete. */
export interface RedisRetentionSettings {
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
  readonly trimUnread: boolean;
}

/** Redis's part of the options, complete. */
export interface RedisSettings extends RedisConnectionSettings {
  readonly streamPrefix: string;
  readonly partitions: number;
  readonly leaseMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxReadCount: number;
  readonly maxReadBytes: number;
  readonly durability: Required<RedisDurabilityOptions>;
  readonly retention: RedisRetentionSettings;
}

/** All options, complete, checked and frozen. */
export interface ResolvedRedisOptions extends ResolvedEventBusOptions, RedisSettings {}

/** Largest event. Redis itself takes 512 MB (`proto-max-bulk-len`). */
export const MAX_RECORD_BYTES = 134_217_728;

const sentinelRules: RulesFor<RedisSentinelSettings> = {
  name: required(text()),
  nodes: required(addressesRule()),
  credentials: redisCredentialsRule,
};

const redisRules: RulesFor<RedisSettings> = {
  url: urlRule(),
  path: text(),
  sentinel: object(sentinelRules, { optional: true }),
  cluster: object({ nodes: required(addressesRule()) }, { optional: true }),
  redis: matching(
    'a Redis or a Cluster of ioredis',
    (value): value is Redis | Cluster =>
      typeof (value as Partial<Redis> | null)?.duplicate === 'function' &&
      typeof (value as Partial<Redis> | null)?.defineCommand === 'function',
  ),
  db: integer({ min: 0, max: 1_000_000 }),
  security: securityRule,
  streamPrefix: text({
    default: 'events',
    maxLength: 200,
    pattern: /^[^\s{}*?[\]\\]+$/,
    what: 'text without spaces, braces and the signs of patterns (*, ?, [, ], \\)',
  }),
  partitions: integer({ min: 1, max: 1_000, default: 8 }),
  leaseMs: durationMs({ min: 100, max: 3_600_000, default: 10_000 }),
  heartbeatIntervalMs: durationMs({ min: 10, default: 1_000 }),
  maxReadCount: integer({ min: 1, max: 10_000, default: 1_000 }),
  maxReadBytes: bytes({ min: 1_024, max: 1_073_741_824, default: 8_388_608 }),
  durability: object({
    replicas: integer({ min: 0, max: 100, default: 0 }),
    fsync: flag({ default: false }),
    timeoutMs: durationMs({ min: 1, max: 60_000, default: 3_000 }),
  }),
  retention: object({
    maxLength: integer({ min: 1 }),
    maxAgeMs: durationMs({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    trimUnread: flag({ default: false }),
  }),
  requestTimeoutMs: durationMs({ min: 100, default: 5_000 }),
};

/** Ways to a server, of which one is enough. */
const WAYS = ['url', 'path', 'sentinel', 'cluster', 'redis'];

const redisChecks: readonly CrossCheck<ResolvedRedisOptions>[] = [
  {
    paths: WAYS,
    check: (_, given) => {
      const ways = WAYS.filter(given);
      return ways.length > 1 ? `and ${ways.slice(1).join(', ')} name different servers: give one` : undefined;
    },
  },
  {
    paths: ['redis', 'security', 'db'],
    check: ({ redis }, given) => {
      const inert = ['security', 'db'].filter(given);
      return redis === undefined || inert.length === 0
        ? undefined
        : `brings its own connections, so that ${inert.join(', ')} would have no effect; leave them out`;
    },
  },
  {
    paths: ['db', 'cluster'],
    check: ({ db, cluster }) =>
      cluster !== undefined && db !== undefined && db !== 0
        ? 'must be 0: a Cluster has only that'
        : undefined,
  },
  {
    paths: ['heartbeatIntervalMs', 'leaseMs'],
    check: ({ heartbeatIntervalMs, leaseMs }) =>
      heartbeatIntervalMs >= leaseMs / 2
        ? `must be less than half of leaseMs (${leaseMs} ms), got ${heartbeatIntervalMs}: one late heartbeat would cost the partitions`
        : undefined,
  },
  {
    paths: ['durability.timeoutMs', 'requestTimeoutMs'],
    check: ({ durability, requestTimeoutMs }) =>
      (durability.replicas > 0 || durability.fsync) && durability.timeoutMs >= requestTimeoutMs
        ? `must be less than requestTimeoutMs (${requestTimeoutMs} ms): the connection would be broken while it waits`
        : undefined,
  },
  {
    paths: ['durability.timeoutMs', 'durability.replicas', 'durability.fsync'],
    check: ({ durability: { replicas, fsync } }, given) =>
      given('durability.timeoutMs') && replicas === 0 && !fsync
        ? 'has no effect without durability.replicas or durability.fsync'
        : undefined,
  },
  {
    paths: ['retention.trimUnread', 'retention.maxLength', 'retention.maxAgeMs'],
    check: ({ retention: { maxLength, maxAgeMs, trimUnread } }) =>
      trimUnread && maxLength === undefined && maxAgeMs === undefined
        ? 'has no effect without retention.maxLength or retention.maxAgeMs'
        : undefined,
  },
  {
    paths: ['maxEventBytes'],
    check: ({ maxEventBytes }) =>
      maxEventBytes > MAX_RECORD_BYTES
        ? `must be at most ${MAX_RECORD_BYTES}, got ${maxEventBytes}`
        : undefined,
  },
];

/**
 * Checks and completes the options. Throws one `ConfigurationError` (code `CONFIGURATION`) that lists every problem; the
 * result is frozen.
 */
export function resolveRedisOptions(options: RedisEventBusOptions = {}): ResolvedRedisOptions {
  const rules: RulesFor<ResolvedRedisOptions> = { ...eventBusRules, ...redisRules };
  return resolveWith(rules, options, [
    ...eventBusChecks,
    ...redisChecks,
    ...securityChecks,
  ] as readonly CrossCheck<ResolvedRedisOptions>[]);
}

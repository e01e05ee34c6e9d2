import {
  bytes,
  type CrossCheck,
  durationMs,
  type EventBusOptions,
  eventBusChecks,
  eventBusRules,
  flag,
  integer,
  matching,
  object,
  oneOf,
  type ResolvedEventBusOptions,
  type Rule,
  type RulesFor,
  resolveWith,
  text,
} from '@omnibus/core/transport';
import type { Kafka } from 'kafkajs';
import {
  type KafkaSaslMechanism,
  type KafkaSecurityOptions,
  type KafkaSecurityProtocol,
  type KafkaSecuritySettings,
  type PredecessorSecurity,
  predecessorChecks,
  predecessorRules,
  securityChecks,
  securityRule,
  withPredecessorNames,
} from './security.js';

/** How batches of records are compressed. */
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Compresses and decompresses what a batch of records holds, in Kafka's framing of the algorithm. */
export interface KafkaCompressionCodec {
  compress(data: Buffer): Buffer | Promise<Buffer>;
  /**
   * What is read is untrusted, and a few bytes may unpack to gigabytes. A codec should stop at `maxOutputLength` bytes and
   * throw an error with the code `ERR_BUFFER_TOO_LARGE`, as zlib does; what is longer is refused afterwards in any case.
   */
  decompress(data: Buffer, limits: { readonly maxOutputLength: number }): Buffer | Promise<Buffer>;
}

/** Options of `KafkaEventBus`, beside those of every bus. All may be left out. */
export interface KafkaEventBusOptions extends EventBusOptions {
  /** Addresses to find the cluster by: a list of `host:port`, or one text with commas. @default 'localhost:9092' */
  readonly brokers?: string | readonly string[];
  /** A kafkajs client to use instead of `brokers`, `security` and the time-outs of connections. It is never closed. @default none */
  readonly kafka?: Kafka;
  /**
   * Name of this client in the brokers' logs and quotas; the connections of a consumer have `consumerName` instead.
   * @default 'omnibus'
   */
  readonly clientId?: string;
  /** Topics are `{topicPrefix}.stream`, `{topicPrefix}.stream.dlq` and `{topicPrefix}.stream.dlq.state`. @default 'events' */
  readonly topicPrefix?: string;
  /**
   * Partitions of the stream: how many processes of one group can share the work. A stream that exists with more is used
   * as it is; with fewer is an error (`CONFIGURATION`), because nothing is changed on the broker. From 1 to 10,000.
   * @default 8
   */
  readonly partitions?: number;
  /** Copies of each topic that is created. @default 3, or the number of brokers if there are fewer */
  readonly replicationFactor?: number;
  /** Create topics that are missing. False on clusters where the bus may not; then they must exist. @default true */
  readonly createTopics?: boolean;
  /**
   * Compression of what is published. `none` and `gzip` are built in; the others need a codec in `compressionCodecs`.
   * Reading needs the codec of whatever is on the topic.
   * @default 'none'
   */
  readonly compression?: KafkaCompression;
  /** Codecs by name, for `snappy`, `lz4` and `zstd`. kafkajs keeps them for the whole process. @default {} */
  readonly compressionCodecs?: Readonly<Partial<Record<'snappy' | 'lz4' | 'zstd', KafkaCompressionCodec>>>;
  /** A publish that is repeated after a lost answer is stored once. False for users without the right to do so. @default true */
  readonly idempotent?: boolean;
  /** A process that is not heard of for this long loses its partitions, in milliseconds. @default 30000 */
  readonly sessionTimeoutMs?: number;
  /** How often a consumer tells that it lives, and learns of rebalances, in milliseconds. @default 3000 */
  readonly heartbeatIntervalMs?: number;
  /** How long a rebalance waits for a process to join again, in milliseconds. @default 60000 */
  readonly rebalanceTimeoutMs?: number;
  /** How long a fetch waits at the broker for the first record, in milliseconds. @default 500 */
  readonly maxWaitTimeMs?: number;
  /** Most bytes of one partition in one fetch. @default 1048576 (1 MiB) */
  readonly maxBytesPerPartition?: number;
  /** Most bytes of one fetch. @default 10485760 (10 MiB) */
  readonly maxBytes?: number;
  /**
   * Check the checksum of every batch that is consumed. TCP and TLS look after the way; this finds what went wrong before,
   * on a disk for example, and costs about a microsecond for 500 bytes. A damaged batch is an `error` of the bus's status
   * and stops its partition. History and dead letters are always checked.
   * @default false
   */
  readonly checkCrcs?: boolean;
  /**
   * Largest batch of records that the brokers accept in bytes (`message.max.bytes` of the broker, `max.message.bytes` of
   * the topic). An event may be as large as this allows.
   * @default 1048588
   */
  readonly maxRequestBytes?: number;
  /** How long a request may take, in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** How long opening a connection may take, login included, in milliseconds. @default 10000 */
  readonly connectionTimeoutMs?: number;
  /** How the connections are protected. @default PLAINTEXT */
  readonly security?: KafkaSecurityOptions;
  /** The same as `security.protocol`, by the name that it has in eventsource-py. @default that of `security` */
  readonly securityProtocol?: KafkaSecurityProtocol;
  /** The same as `security.mechanism`, by the name that it has in eventsource-py. @default that of `security` */
  readonly saslMechanism?: KafkaSaslMechanism;
}

/** What connections are made with. */
export interface KafkaConnectionSettings {
  readonly brokers: readonly string[];
  readonly kafka: Kafka | undefined;
  readonly clientId: string;
  readonly security: KafkaSecuritySettings;
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
}

/** Kafka's part of the options, complete. */
export interface KafkaSettings extends KafkaConnectionSettings {
  readonly topicPrefix: string;
  readonly partitions: number;
  readonly replicationFactor: number | undefined;
  readonly createTopics: boolean;
  readonly compression: KafkaCompression;
  readonly compressionCodecs: {
    readonly [K in 'snappy' | 'lz4' | 'zstd']: KafkaCompressionCodec | undefined;
  };
  readonly idempotent: boolean;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly maxWaitTimeMs: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
  readonly checkCrcs: boolean;
  readonly maxRequestBytes: number;
}

/** All options, complete, checked and frozen. */
export interface ResolvedKafkaOptions extends ResolvedEventBusOptions, KafkaSettings, PredecessorSecurity {}

/** A topic's name has at most 249 characters; the longest of ours adds this many to the prefix. */
const LONGEST_SUFFIX = '.stream.dlq.state'.length;
/** What a batch and its records need beside keys, values and headers. */
export const BATCH_OVERHEAD_BYTES = 2_048;

const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^\s:,/]+):(\d{1,5})$/;

function brokersRule(): Rule<readonly string[]> {
  return {
    resolve: (value, place) => {
      const given: unknown = value ?? 'localhost:9092';
      const list: readonly unknown[] =
        typeof given === 'string'
          ? given.split(',').map((part) => part.trim())
          : Array.isArray(given)
            ? given
            : [undefined];
      const wrong = list.filter((entry) => typeof entry !== 'string' || !ADDRESS.test(entry));
      if (list.length === 0 || wrong.length > 0) {
        place.report(place.path, 'must be a list of "host:port", or one text with commas between them');
        return undefined;
      }
      return Object.freeze(list.map(String));
    },
  };
}

function codecRule(): Rule<KafkaCompressionCodec | undefined> {
  return matching('a codec with compress and decompress', (value): value is KafkaCompressionCodec => {
    const { compress, decompress } = (value ?? {}) as Partial<KafkaCompressionCodec>;
    return typeof compress === 'function' && typeof decompress === 'function';
  });
}

const kafkaRules: RulesFor<KafkaSettings> = {
  brokers: brokersRule(),
  kafka: matching(
    'a Kafka of kafkajs',
    (value): value is Kafka => typeof (value as Partial<Kafka> | null)?.consumer === 'function',
  ),
  clientId: text({ default: 'omnibus', maxLength: 200 }),
  topicPrefix: text({
    default: 'events',
    maxLength: 249 - LONGEST_SUFFIX,
    pattern: /^[A-Za-z0-9._-]+$/,
    what: 'made of letters, digits, ".", "_" and "-"',
  }),
  partitions: integer({ min: 1, max: 10_000, default: 8 }),
  replicationFactor: integer({ min: 1, max: 32_767 }),
  createTopics: flag({ default: true }),
  compression: oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'], { default: 'none' }),
  compressionCodecs: object({ snappy: codecRule(), lz4: codecRule(), zstd: codecRule() }),
  idempotent: flag({ default: true }),
  sessionTimeoutMs: durationMs({ min: 100, default: 30_000 }),
  heartbeatIntervalMs: durationMs({ min: 10, default: 3_000 }),
  rebalanceTimeoutMs: durationMs({ min: 100, default: 60_000 }),
  maxWaitTimeMs: durationMs({ min: 1, max: 60_000, default: 500 }),
  maxBytesPerPartition: bytes({ min: 1_024, max: 1_073_741_824, default: 1_048_576 }),
  maxBytes: bytes({ min: 1_024, max: 1_073_741_824, default: 10_485_760 }),
  checkCrcs: flag({ default: false }),
  maxRequestBytes: bytes({ min: 2 * BATCH_OVERHEAD_BYTES, max: 1_073_741_824, default: 1_048_588 }),
  requestTimeoutMs: durationMs({ min: 100, default: 30_000 }),
  connectionTimeoutMs: durationMs({ min: 100, default: 10_000 }),
  security: securityRule,
};

const kafkaChecks: readonly CrossCheck<ResolvedKafkaOptions>[] = [
  {
    paths: ['heartbeatIntervalMs', 'sessionTimeoutMs'],
    check: ({ heartbeatIntervalMs, sessionTimeoutMs }) =>
      heartbeatIntervalMs >= sessionTimeoutMs / 2
        ? `must be less than half of sessionTimeoutMs (${sessionTimeoutMs} ms), got ${heartbeatIntervalMs}: one late heartbeat would cost the partitions`
        : undefined,
  },
  {
    paths: ['handOverTimeoutMs', 'rebalanceTimeoutMs'],
    check: ({ handOverTimeoutMs, rebalanceTimeoutMs }) =>
      handOverTimeoutMs >= rebalanceTimeoutMs
        ? `must be less than rebalanceTimeoutMs (${rebalanceTimeoutMs} ms), got ${handOverTimeoutMs}: the group would go on without this process`
        : undefined,
  },
  {
    paths: ['rebalanceTimeoutMs', 'heartbeatIntervalMs'],
    check: ({ rebalanceTimeoutMs, heartbeatIntervalMs }) =>
      rebalanceTimeoutMs <= heartbeatIntervalMs
        ? `must be more than heartbeatIntervalMs (${heartbeatIntervalMs} ms): a process would learn of the rebalance too late`
        : undefined,
  },
  {
    paths: ['maxWaitTimeMs', 'requestTimeoutMs'],
    check: ({ maxWaitTimeMs, requestTimeoutMs }) =>
      maxWaitTimeMs >= requestTimeoutMs
        ? `must be less than requestTimeoutMs (${requestTimeoutMs} ms): every idle fetch would time out`
        : undefined,
  },
  {
    paths: ['maxBytesPerPartition', 'maxBytes'],
    check: ({ maxBytesPerPartition, maxBytes }) =>
      maxBytesPerPartition > maxBytes
        ? `must be at most maxBytes (${maxBytes}), got ${maxBytesPerPartition}`
        : undefined,
  },
  {
    paths: ['compressionCodecs', 'compression'],
    check: ({ compression, compressionCodecs }) =>
      compression !== 'none' && compression !== 'gzip' && compressionCodecs[compression] === undefined
        ? `must hold a codec named ${compression} with compression '${compression}'; only gzip is built in`
        : undefined,
  },
  {
    paths: ['maxEventBytes', 'maxRequestBytes'],
    check: ({ maxEventBytes, maxRequestBytes }) =>
      maxEventBytes > maxRequestBytes - BATCH_OVERHEAD_BYTES
        ? `must be at most maxRequestBytes less ${BATCH_OVERHEAD_BYTES} (${maxRequestBytes - BATCH_OVERHEAD_BYTES}), got ${maxEventBytes}: the broker would refuse such an event`
        : undefined,
  },
  {
    paths: ['kafka', 'brokers', 'security'],
    check: ({ kafka }, given) => {
      if (kafka === undefined) return undefined;
      const inert = ['brokers', 'security', 'clientId', 'requestTimeoutMs', 'connectionTimeoutMs'].filter(
        given,
      );
      return inert.length === 0
        ? undefined
        : `brings its own connections, so that ${inert.join(', ')} would have no effect; leave them out`;
    },
  },
];

/**
 * Checks and completes the options. Throws one `ConfigurationError` (code `CONFIGURATION`) that lists every problem; the
 * result is frozen.
 */
export function resolveKafkaOptions(options: KafkaEventBusOptions = {}): ResolvedKafkaOptions {
  const rules: RulesFor<ResolvedKafkaOptions> = { ...eventBusRules, ...kafkaRules, ...predecessorRules };
  return resolveWith(rules, withPredecessorNames(options), [
    ...eventBusChecks,
    ...kafkaChecks,
    ...securityChecks,
    ...predecessorChecks(options),
  ] as readonly CrossCheck<ResolvedKafkaOptions>[]);
}

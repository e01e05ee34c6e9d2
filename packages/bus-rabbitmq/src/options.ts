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
  oneOf,
  type ResolvedEventBusOptions,
  type Rule,
  type RulesFor,
  resolveWith,
  text,
} from '@omnibus/core/transport';
import type { ChannelModel } from 'amqplib';
import { longestName, MAX_NAME_BYTES } from './names.js';
import {
  type RabbitMQSecurityOptions,
  type RabbitMQSecuritySettings,
  securityChecks,
  securityRule,
} from './security.js';

/** Options of `RabbitMQEventBus`, beside those of every bus. All may be left out. */
export interface RabbitMQEventBusOptions extends EventBusOptions {
  /**
   * Addresses of the cluster's nodes, the next of which is tried when one does not answer: a list of
   * `amqp://user:password@host:port/vhost` (`amqps://` for TLS), or one.
   * @default 'amqp://localhost:5672'
   */
  readonly urls?: string | readonly string[];
  /**
   * A connection of amqplib to use for everything instead of `urls` and `security`. It is never closed; when it ends the
   * bus is disconnected for good. With connections of its own the bus keeps consuming while the broker's alarms hold
   * publishers back.
   * @default none
   */
  readonly connection?: ChannelModel;
  /** Topic exchange that events are published to. All names begin with it. @default 'events' */
  readonly exchange?: string;
  /**
   * Partitions of the exchange: how many processes of one group can share the work. Where an exchange has more, these are
   * used; fewer is an error (`CONFIGURATION`), because nothing is changed on the broker. Each is one queue per group.
   * From 1 to 1,000.
   * @default 8
   */
  readonly partitions?: number;
  /**
   * Kind of the groups' queues. `quorum`: replicated on a majority of the cluster. `classic`: on one node, whose loss
   * takes its events along; consumers wait while it is down. Both keep events on disk.
   * @default 'quorum'
   */
  readonly queueType?: 'quorum' | 'classic';
  /** Create exchanges and queues that are missing. False where the bus may not; then they must exist. @default true */
  readonly createTopology?: boolean;
  /**
   * Keep every event in a stream beside the groups' queues, so that `replay()` can read it again. Bound its size by a
   * policy. Needs RabbitMQ 3.9.
   * @default false
   */
  readonly history?: boolean;
  /** Largest message that the brokers accept in bytes (`max_message_size`). @default 16777216 (16 MiB) */
  readonly maxMessageBytes?: number;
  /** Messages that may wait for the brokers' confirmation. From 1 to 100,000. @default 2000 */
  readonly confirmWindow?: number;
  /**
   * A connection over which nothing comes for twice this long is given up, in milliseconds, rounded up to whole seconds;
   * where the broker wants it shorter, that counts. A process of which the broker heard nothing for twice this long starts
   * no handler any more and joins its group again: another may have its partitions.
   * @default 10000
   */
  readonly heartbeatMs?: number;
  /** How often the processes of a group tell each other that they are there, in milliseconds. @default 1000 */
  readonly presenceIntervalMs?: number;
  /** How long opening a connection may take, login included, in milliseconds. @default 10000 */
  readonly connectionTimeoutMs?: number;
  /** How long an answer of the broker may take, in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** How the connections are protected. @default no TLS, user `guest` */
  readonly security?: RabbitMQSecurityOptions;
}

/** What connections are made with. */
export interface RabbitMQConnectionSettings {
  readonly urls: readonly URL[];
  readonly connection: ChannelModel | undefined;
  readonly security: RabbitMQSecuritySettings;
  readonly heartbeatMs: number;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** RabbitMQ's part of the options, complete. */
export interface RabbitMQSettings extends RabbitMQConnectionSettings {
  readonly exchange: string;
  readonly partitions: number;
  readonly queueType: 'quorum' | 'classic';
  readonly createTopology: boolean;
  readonly history: boolean;
  readonly maxMessageBytes: number;
  readonly confirmWindow: number;
  readonly presenceIntervalMs: number;
}

/** All options, complete, checked and frozen. */
export interface ResolvedRabbitMQOptions extends ResolvedEventBusOptions, RabbitMQSettings {}

const URL_SHAPE = 'must look like amqp://user:password@host:port/vhost, or amqps:// for TLS';

function urlsRule(): Rule<readonly URL[]> {
  return {
    resolve: (value, place) => {
      const given: unknown = value ?? 'amqp://localhost:5672';
      const list: readonly unknown[] = Array.isArray(given) ? given : [given];
      const urls = list.map(urlOf).filter((url) => url !== undefined);
      if (urls.length > 0 && urls.length === list.length) return Object.freeze(urls);
      // Not what was given: it may hold a password.
      place.report(place.path, URL_SHAPE);
      return undefined;
    },
  };
}

function urlOf(value: unknown): URL | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  const isAmqp = url.protocol === 'amqp:' || url.protocol === 'amqps:';
  return isAmqp && url.hostname !== '' && url.search === '' ? url : undefined;
}

const rabbitMQRules: RulesFor<RabbitMQSettings> = {
  urls: urlsRule(),
  connection: matching(
    'a connection of amqplib',
    (value): value is ChannelModel =>
      typeof (value as Partial<ChannelModel> | null)?.createConfirmChannel === 'function',
  ),
  exchange: text({
    default: 'events',
    maxLength: 100,
    pattern: /^(?!amq\.)[A-Za-z0-9._:-]+$/,
    what: 'made of letters, digits, ".", "_", ":" and "-", and not begin with "amq."',
  }),
  partitions: integer({ min: 1, max: 1_000, default: 8 }),
  queueType: oneOf(['quorum', 'classic'], { default: 'quorum' }),
  createTopology: flag({ default: true }),
  history: flag({ default: false }),
  maxMessageBytes: bytes({ min: 1_024, max: 536_870_912, default: 16_777_216 }),
  confirmWindow: integer({ min: 1, max: 100_000, default: 2_000 }),
  heartbeatMs: durationMs({ min: 1_000, max: 60_000_000, default: 10_000 }),
  presenceIntervalMs: durationMs({ min: 50, max: 60_000, default: 1_000 }),
  connectionTimeoutMs: durationMs({ min: 100, default: 10_000 }),
  requestTimeoutMs: durationMs({ min: 100, default: 30_000 }),
  security: securityRule,
};

const rabbitMQChecks: readonly CrossCheck<ResolvedRabbitMQOptions>[] = [
  {
    paths: ['group', 'exchange'],
    check: (options) => {
      const length = Buffer.byteLength(longestName(options.exchange, options.group, options.partitions));
      return length > MAX_NAME_BYTES
        ? `makes names of queues with ${length} bytes together with exchange; RabbitMQ allows ${MAX_NAME_BYTES}`
        : undefined;
    },
  },
  {
    paths: ['maxEventBytes', 'maxMessageBytes'],
    check: ({ maxEventBytes, maxMessageBytes }) =>
      maxEventBytes > maxMessageBytes
        ? `must be at most maxMessageBytes (${maxMessageBytes}), got ${maxEventBytes}: the broker would refuse such an event`
        : undefined,
  },
  {
    paths: ['connection', 'urls', 'security'],
    check: ({ connection }, given) => {
      if (connection === undefined) return undefined;
      const inert = ['urls', 'security', 'connectionTimeoutMs', 'heartbeatMs'].filter(given);
      return inert.length === 0
        ? undefined
        : `is there already, so that ${inert.join(', ')} would have no effect; leave them out`;
    },
  },
];

/**
 * Checks and completes the options. Throws one `ConfigurationError` (code `CONFIGURATION`) that lists every problem; the
 * result is frozen.
 */
export function resolveRabbitMQOptions(options: RabbitMQEventBusOptions = {}): ResolvedRabbitMQOptions {
  const rules: RulesFor<ResolvedRabbitMQOptions> = { ...eventBusRules, ...rabbitMQRules };
  return resolveWith(rules, options, [
    ...eventBusChecks,
    ...rabbitMQChecks,
    ...securityChecks,
  ] as readonly CrossCheck<ResolvedRabbitMQOptions>[]);
}

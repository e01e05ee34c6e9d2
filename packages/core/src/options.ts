import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { type EventCodec, jsonCodec } from './codec.js';
import type { BusError } from './errors.js';
import type { DomainEvent, EventDefinition } from './event.js';
import {
  bytes,
  type CrossCheck,
  durationMs,
  flag,
  fn,
  integer,
  listOf,
  matching,
  number,
  object,
  oneOf,
  type Rule,
  type RulesFor,
  required,
  resolveWith,
  text,
} from './options-rules.js';

/** How failed events are tried again. */
export interface RetryOptions {
  /**
   * Attempts after the first; an event is handled at most `maxRetries + 1` times, counted across crashes. From 0 to 1,000.
   * @default 3
   */
  readonly maxRetries?: number;
  /** Wait before the first retry, in milliseconds. @default 1000 */
  readonly baseDelayMs?: number;
  /** Each further wait is this many times as long. From 1 to 100. @default 2 */
  readonly factor?: number;
  /** Longest wait, in milliseconds, jitter included. @default 60000 */
  readonly maxDelayMs?: number;
  /** Random spread of each wait to both sides, as a fraction from 0 to 1. @default 0.1 */
  readonly jitter?: number;
  /** False: this error is final, the event becomes a dead letter at once. @default every error is tried again */
  readonly retryIf?: (error: unknown, event: DomainEvent) => boolean;
}

/** What becomes of events that the group gave up on. */
export interface DeadLetterOptions {
  /** Keep them in the dead letter queue. @default true */
  readonly enabled?: boolean;
  /**
   * What happens instead when `enabled` is false. `halt`: the event's partition stops, and `status()` and `health()`
   * say so; nothing is lost. `drop`: the event is acknowledged, counted, and given to `onDrop`.
   * @default 'halt'
   */
  readonly whenDisabled?: 'halt' | 'drop';
  /** How often one event may be replayed from the queue without `force`. From 0 to 1,000. @default 3 */
  readonly maxReplays?: number;
  /** Store the error's stack with the dead letter. Stacks show paths of the machine. @default false */
  readonly includeStack?: boolean;
  /** Told of every dropped event; undefined when its bytes could not be read. Only with `whenDisabled: 'drop'`. @default none */
  readonly onDrop?: (event: DomainEvent | undefined, error: BusError) => void;
}

/** How events are sent. */
export interface PublishingOptions {
  /**
   * How long a publish waits for others to share its batch, in milliseconds; less than `timeoutMs`. 0 sends at the end
   * of the turn.
   * @default 0
   */
  readonly lingerMs?: number;
  /**
   * How long a publish is tried again after retryable errors before it rejects, in milliseconds. An asynchronous schema
   * has as long to answer.
   * @default 120000
   */
  readonly timeoutMs?: number;
  /** Events that wait to be sent may take this many bytes; above it `publish` rejects with `BACKPRESSURE`. @default 33554432 (32 MiB) */
  readonly maxBufferedBytes?: number;
  /** Background publishes in flight; above it they wait like any other. @default 1000 */
  readonly maxBackgroundPublishes?: number;
}

/** The part of OpenTelemetry's `TracerProvider` that is used. */
export interface TracerProviderLike {
  getTracer(name: string, version?: string): unknown;
}

/** The part of OpenTelemetry's `MeterProvider` that is used. */
export interface MeterProviderLike {
  getMeter(name: string, version?: string): unknown;
}

/** Spans. Without an OpenTelemetry SDK in the process nothing is recorded and nothing is added to records. */
export interface TracingOptions {
  /** @default true */
  readonly enabled?: boolean;
  /**
   * How the span that processes an event relates to the one that sent it. It links to it in any case. `parent`: it is
   * also its child, so that all that an event causes is one trace. `link`: a trace of its own for each attempt, for
   * events that wait for hours or fan out to many.
   * @default 'parent'
   */
  readonly parent?: 'link' | 'parent';
  /**
   * A `create` span for each event of a publish of several, so that each has a context of its own. Without them all
   * carry that of the one `send` span.
   * @default true
   */
  readonly createSpans?: boolean;
  /** No spans from an instrumented broker client beside those of the bus. @default true */
  readonly suppressClientSpans?: boolean;
  /** @default the global one */
  readonly tracerProvider?: TracerProviderLike;
}

/** Metrics. Without an OpenTelemetry SDK in the process nothing is recorded. */
export interface MetricsOptions {
  /** @default true */
  readonly enabled?: boolean;
  /** @default the global one */
  readonly meterProvider?: MeterProviderLike;
}

/** Options that every bus has. All may be left out. */
export interface EventBusOptions {
  /** Consumer group. Every group receives every event; the processes of one group share them. @default 'default' */
  readonly group?: string;
  /**
   * A group of this process alone: it has a unique name, starts at the latest event, and is removed when it stops. Then
   * neither `group` nor `startFrom: 'earliest'` may be given.
   * @default false
   */
  readonly ephemeralGroup?: boolean;
  /** Where a group starts that the broker does not know yet. @default 'earliest' ('latest' for an ephemeral group) */
  readonly startFrom?: 'earliest' | 'latest';
  /** Name of this process for the broker's tools. @default the host's name and 8 random hexadecimal digits */
  readonly consumerName?: string;
  /** Events handled at the same time; those of one key always one after the other. From 1 to 10,000. @default 64 */
  readonly concurrency?: number;
  /**
   * Deliveries that may be in hand, unsettled or not yet durably settled, before fetching pauses; bounds memory, and what
   * is handled again after a fault. At least `concurrency`, at most 1,000,000.
   * Within one partition nothing is handled further than three times this beyond its oldest unsettled event.
   * @default 4096, or `concurrency` if that is more
   */
  readonly maxInFlight?: number;
  /**
   * How long one handler may take, in milliseconds. Then its `signal` aborts and the attempt counts as failed. 0 = no
   * limit: a handler that never ends then blocks its key for ever. An asynchronous schema has as long when an event
   * arrives; then the event becomes a dead letter (`validation`).
   * @default 300000 (5 minutes)
   */
  readonly handlerTimeoutMs?: number;
  /** How failed events are tried again. @default {} */
  readonly retry?: RetryOptions;
  /** What becomes of events that the group gave up on. @default {} */
  readonly deadLetters?: DeadLetterOptions;
  /**
   * Events of a type that no handler of this bus asked for. `deliver`: wildcards get them; without a wildcard they are
   * acknowledged and counted as ignored. `ignore`: acknowledged and counted, wildcards included. `dead-letter`: kept as
   * dead letters.
   *
   * The default is `deliver`, because a stream is shared: other services publish types that this one never asked for, and
   * a rolling deployment has processes that do not know the newest ones. Making dead letters of those would bury the
   * real ones.
   * @default 'deliver'
   */
  readonly unknownEvents?: 'deliver' | 'ignore' | 'dead-letter';
  /** Definitions made with `defineEvent`; events of their types are validated. Those subscribed to need not be here. @default [] */
  readonly events?: readonly EventDefinition[];
  /** How events are sent. @default {} */
  readonly publish?: PublishingOptions;
  /** Largest body of an event in bytes, when publishing and when consuming. @default 1000000 */
  readonly maxEventBytes?: number;
  /** What orders events: those with the same key are handled one after the other. @default the aggregate id */
  readonly partitionKey?: (event: DomainEvent) => string;
  /**
   * Headers beside the body. `minimal`: id, type and trace context. `full`: all that eventsource-py writes, for consumers
   * that route by headers; costs time on Kafka.
   * @default 'minimal'
   */
  readonly headers?: 'minimal' | 'full';
  /** How events become bytes. All services on a stream must agree. @default jsonCodec */
  readonly codec?: EventCodec;
  /** Spans. @default {} */
  readonly tracing?: TracingOptions;
  /** Metrics. @default {} */
  readonly metrics?: MetricsOptions;
  /** How long `connect` tries before it rejects, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** How long `shutdown` and `stopConsuming` wait for running handlers, in milliseconds. @default 30000 */
  readonly shutdownTimeoutMs?: number;
  /** How long a partition may drain before it goes to another process all the same, in milliseconds. @default 5000 */
  readonly handOverTimeoutMs?: number;
}

/** `RetryOptions`, complete. */
export interface RetryPolicy extends Required<Omit<RetryOptions, 'retryIf'>> {
  readonly retryIf: RetryOptions['retryIf'] | undefined;
}

/** `DeadLetterOptions`, complete. */
export interface DeadLetterPolicy extends Required<Omit<DeadLetterOptions, 'onDrop'>> {
  readonly onDrop: DeadLetterOptions['onDrop'] | undefined;
}

/** `TracingOptions`, complete. */
export interface TracingSettings extends Required<Omit<TracingOptions, 'tracerProvider'>> {
  readonly tracerProvider: TracerProviderLike | undefined;
}

/** `MetricsOptions`, complete. */
export interface MetricsSettings extends Required<Omit<MetricsOptions, 'meterProvider'>> {
  readonly meterProvider: MeterProviderLike | undefined;
}

type Nested = 'retry' | 'deadLetters' | 'publish' | 'tracing' | 'metrics' | 'partitionKey';

/** `EventBusOptions`, complete, checked and frozen. */
export interface ResolvedEventBusOptions extends Required<Omit<EventBusOptions, Nested>> {
  readonly retry: RetryPolicy;
  readonly deadLetters: DeadLetterPolicy;
  readonly publish: Required<PublishingOptions>;
  readonly tracing: TracingSettings;
  readonly metrics: MetricsSettings;
  readonly partitionKey: EventBusOptions['partitionKey'] | undefined;
}

const retryRules: RulesFor<RetryPolicy> = {
  maxRetries: integer({ min: 0, max: 1000, default: 3 }),
  baseDelayMs: durationMs({ default: 1000 }),
  factor: number({ min: 1, max: 100, default: 2 }),
  maxDelayMs: durationMs({ default: 60_000 }),
  jitter: number({ min: 0, max: 1, default: 0.1 }),
  retryIf: fn(),
};

const deadLetterRules: RulesFor<DeadLetterPolicy> = {
  enabled: flag({ default: true }),
  whenDisabled: oneOf(['halt', 'drop'], { default: 'halt' }),
  maxReplays: integer({ min: 0, max: 1000, default: 3 }),
  includeStack: flag({ default: false }),
  onDrop: fn(),
};

const publishRules: RulesFor<Required<PublishingOptions>> = {
  lingerMs: durationMs({ max: 60_000, default: 0 }),
  timeoutMs: durationMs({ min: 1, default: 120_000 }),
  maxBufferedBytes: bytes({ default: 33_554_432 }),
  maxBackgroundPublishes: integer({ min: 0, max: 1_000_000, default: 1000 }),
};

const tracingRules: RulesFor<TracingSettings> = {
  enabled: flag({ default: true }),
  parent: oneOf(['link', 'parent'], { default: 'parent' }),
  createSpans: flag({ default: true }),
  suppressClientSpans: flag({ default: true }),
  tracerProvider: matching('a TracerProvider', (value): value is TracerProviderLike =>
    hasMethods(value, 'getTracer'),
  ),
};

const metricsRules: RulesFor<MetricsSettings> = {
  enabled: flag({ default: true }),
  meterProvider: matching('a MeterProvider', (value): value is MeterProviderLike =>
    hasMethods(value, 'getMeter'),
  ),
};

/** The rules of the options that every bus has. An adapter spreads them into its own. */
export const eventBusRules: RulesFor<ResolvedEventBusOptions> = {
  group: text({
    maxLength: 200,
    default: ({ ephemeralGroup }) => (ephemeralGroup === true ? `ephemeral-${randomUUID()}` : 'default'),
  }),
  ephemeralGroup: flag({ default: false }),
  startFrom: oneOf(['earliest', 'latest'], {
    default: ({ ephemeralGroup }) => (ephemeralGroup === true ? 'latest' : 'earliest'),
  }),
  consumerName: text({ maxLength: 200, default: () => `${hostname()}-${randomUUID().slice(0, 8)}` }),
  concurrency: integer({ min: 1, max: 10_000, default: 64 }),
  maxInFlight: integer({
    min: 1,
    max: 1_000_000,
    default: ({ concurrency }) => Math.max(4096, typeof concurrency === 'number' ? concurrency : 0),
  }),
  handlerTimeoutMs: durationMs({ default: 300_000 }),
  retry: object(retryRules),
  deadLetters: object(deadLetterRules),
  unknownEvents: oneOf(['deliver', 'ignore', 'dead-letter'], { default: 'deliver' }),
  events: listOf(definitionRule(), { default: Object.freeze([]) }),
  publish: object(publishRules),
  maxEventBytes: bytes({ default: 1_000_000 }),
  partitionKey: fn(),
  headers: oneOf(['minimal', 'full'], { default: 'minimal' }),
  codec: matching('an EventCodec', isCodec, { default: () => jsonCodec }),
  tracing: object(tracingRules),
  metrics: object(metricsRules),
  connectTimeoutMs: durationMs({ min: 1, default: 10_000 }),
  shutdownTimeoutMs: durationMs({ default: 30_000 }),
  handOverTimeoutMs: durationMs({ default: 5000 }),
};

/** The contradictions that every bus rejects. An adapter adds its own. */
export const eventBusChecks: readonly CrossCheck<ResolvedEventBusOptions>[] = [
  {
    paths: ['maxInFlight', 'concurrency'],
    check: ({ maxInFlight, concurrency }) =>
      maxInFlight < concurrency
        ? `must be at least concurrency (${concurrency}), got ${maxInFlight}: handlers would wait for events that are not fetched`
        : undefined,
  },
  {
    paths: ['retry.baseDelayMs', 'retry.maxDelayMs'],
    check: ({ retry }) =>
      retry.baseDelayMs > retry.maxDelayMs
        ? `must be at most retry.maxDelayMs (${retry.maxDelayMs} ms), got ${retry.baseDelayMs}`
        : undefined,
  },
  {
    paths: ['publish.lingerMs', 'publish.timeoutMs'],
    check: ({ publish }) =>
      publish.lingerMs >= publish.timeoutMs
        ? `must be less than publish.timeoutMs (${publish.timeoutMs} ms), got ${publish.lingerMs}: events would be too late before they are sent`
        : undefined,
  },
  {
    paths: ['group', 'ephemeralGroup'],
    check: ({ ephemeralGroup }, given) =>
      ephemeralGroup && given('group')
        ? 'must not be given with ephemeralGroup: an ephemeral group has a unique name of its own'
        : undefined,
  },
  {
    paths: ['startFrom', 'ephemeralGroup'],
    check: ({ ephemeralGroup, startFrom }) =>
      ephemeralGroup && startFrom === 'earliest'
        ? "must not be 'earliest' with ephemeralGroup: an ephemeral group starts at the latest event"
        : undefined,
  },
  {
    paths: ['deadLetters.onDrop', 'deadLetters.whenDisabled'],
    check: ({ deadLetters }) =>
      deadLetters.onDrop !== undefined && deadLetters.whenDisabled !== 'drop'
        ? "is never called unless deadLetters.whenDisabled is 'drop'"
        : undefined,
  },
];

/**
 * Checks and completes the options. Throws one `ConfigurationError` (code `CONFIGURATION`) that lists every problem. The
 * result is frozen; later changes to the object given have no effect.
 */
export function resolveEventBusOptions(options: EventBusOptions = {}): ResolvedEventBusOptions {
  return resolveWith(eventBusRules, options, eventBusChecks);
}

function definitionRule(): Rule<EventDefinition> {
  return required(
    matching(
      'an event definition (made with defineEvent)',
      (value): value is EventDefinition =>
        hasMethods(value, 'create') && typeof (value as Partial<EventDefinition>).eventType === 'string',
    ),
  );
}

function isCodec(value: unknown): value is EventCodec {
  return (
    hasMethods(value, 'encode', 'decode') && typeof (value as Partial<EventCodec>).contentType === 'string'
  );
}

function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}

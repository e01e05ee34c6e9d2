import type { Attributes, BatchObservableResult, Meter } from '@opentelemetry/api';

import { LabelledAttributes } from './metric-attributes.js';
import { createInstruments, type MetricInstruments } from './metric-instruments.js';
import { INSTRUMENTATION_NAME, loadOtel, type MeterProviderLike, type OtelApi } from './otel.js';
import type { StatsCollector } from './stats.js';
import { errorType } from './trace-attributes.js';

/** What the engine tells a meter. Durations are milliseconds here, seconds in the metrics. */
export interface Metrics {
  /** A publish of `count` events came to an end. `failed` of them, by default all, were not placed because of `error`. */
  published(count: number, durationMs: number, error?: unknown, failed?: number): void;
  /** `count` deliveries were received. */
  consumed(count: number): void;
  /** One attempt of one delivery came to an end. */
  processed(durationMs: number, errorCode?: string): void;
  retried(): void;
  deadLettered(reason: string): void;
  reconnected(): void;
  rebalanced(): void;
  /** Takes back the callback of the gauges, so that a closed bus is neither reported nor kept in memory. */
  shutdown(): void;
}

/** What a bus's metrics are about. */
export interface MetricsOptions {
  readonly enabled: boolean;
  /** @default the globally registered one */
  readonly meterProvider?: MeterProviderLike | undefined;
  /** `messaging.system`. */
  readonly system: string;
  readonly destination: string;
  readonly group: string;
  /** Read by the gauges. */
  readonly stats: Pick<StatsCollector, 'inFlight' | 'pendingPublishes'>;
  /**
   * How far the group is behind, asked at each collection. Nothing is reported when that is undefined or fails.
   * Two buses of one process with the same group report to the same time series: the later one counts.
   */
  readonly lag?: () => number | undefined | Promise<number | undefined>;
}

/** Metrics by OpenTelemetry's semantic conventions for messaging; nothing where `@opentelemetry/api` is not installed. */
export function createMetrics(options: MetricsOptions): Metrics {
  const api = options.enabled ? loadOtel() : undefined;
  return api ? new OtelMetrics(api, options) : NO_METRICS;
}

const nothing = (): void => undefined;

const NO_METRICS: Metrics = Object.freeze({
  published: nothing,
  consumed: nothing,
  processed: nothing,
  retried: nothing,
  deadLettered: nothing,
  reconnected: nothing,
  rebalanced: nothing,
  shutdown: nothing,
});

/** Labels name the system, the destination, the group, an error's code, a reason: never an event, a key or a partition. */
class OtelMetrics implements Metrics {
  readonly #api: OtelApi;
  readonly #options: MetricsOptions;
  readonly #client: Attributes;
  readonly #consumer: Attributes;
  readonly #receive: Attributes;
  readonly #send: LabelledAttributes;
  readonly #process: LabelledAttributes;
  readonly #deadLetter: LabelledAttributes;
  #provider: MeterProviderLike | undefined;
  #instruments: MetricInstruments;
  #stopObserving: () => void = nothing;
  #closed = false;

  constructor(api: OtelApi, options: MetricsOptions) {
    this.#api = api;
    this.#options = options;
    const { system, destination, group } = options;
    this.#client = Object.freeze({ 'messaging.system': system, 'messaging.destination.name': destination });
    this.#consumer = Object.freeze({ ...this.#client, 'messaging.consumer.group.name': group });
    this.#receive = Object.freeze({ ...this.#consumer, ...operation('receive') });
    this.#send = new LabelledAttributes({ ...this.#client, ...operation('send') }, 'error.type');
    this.#process = new LabelledAttributes({ ...this.#consumer, ...operation('process') }, 'error.type');
    this.#deadLetter = new LabelledAttributes(this.#consumer, 'omnibus.dead_letter.reason');
    this.#instruments = this.#bind(this.#currentProvider());
  }

  published(count: number, durationMs: number, error?: unknown, failed: number = count): void {
    const { sentMessages, operationDuration } = this.#current();
    const attributes = this.#send.for(error === undefined ? undefined : errorType(error));
    sentMessages.add(error === undefined ? count : failed, attributes);
    if (error !== undefined && failed < count) sentMessages.add(count - failed, this.#send.for(undefined));
    operationDuration.record(durationMs / 1_000, attributes);
  }

  consumed(count: number): void {
    this.#current().consumedMessages.add(count, this.#receive);
  }

  processed(durationMs: number, errorCode?: string): void {
    this.#current().processDuration.record(durationMs / 1_000, this.#process.for(errorCode));
  }

  retried(): void {
    this.#current().retries.add(1, this.#consumer);
  }

  deadLettered(reason: string): void {
    this.#current().deadLetters.add(1, this.#deadLetter.for(reason));
  }

  reconnected(): void {
    this.#current().reconnections.add(1, this.#client);
  }

  rebalanced(): void {
    this.#current().rebalances.add(1, this.#consumer);
  }

  shutdown(): void {
    this.#closed = true;
    this.#stopObserving();
    this.#stopObserving = nothing;
  }

  /** The global meter provider is no proxy: what was made before an SDK was registered stays silent for ever. */
  #current(): MetricInstruments {
    const provider = this.#currentProvider();
    if (provider !== this.#provider && !this.#closed) this.#instruments = this.#bind(provider);
    return this.#instruments;
  }

  #currentProvider(): MeterProviderLike {
    return this.#options.meterProvider ?? this.#api.metrics.getMeterProvider();
  }

  #bind(provider: MeterProviderLike): MetricInstruments {
    this.#stopObserving();
    this.#provider = provider;
    const instruments = createInstruments(provider.getMeter(INSTRUMENTATION_NAME) as Meter);
    this.#stopObserving = instruments.onCollect((result) => this.#observe(result, instruments));
    return instruments;
  }

  async #observe(
    result: BatchObservableResult,
    { inFlight, pendingPublishes, lag }: MetricInstruments,
  ): Promise<void> {
    result.observe(inFlight, this.#options.stats.inFlight, this.#consumer);
    result.observe(pendingPublishes, this.#options.stats.pendingPublishes, this.#client);
    const behind = await this.#lag();
    if (behind !== undefined) result.observe(lag, behind, this.#consumer);
  }

  async #lag(): Promise<number | undefined> {
    try {
      return await this.#options.lag?.();
    } catch {
      // The bus tells of its broker in `status` and `health`; a collection must not fail for it.
      return undefined;
    }
  }
}

function operation(name: 'send' | 'receive' | 'process'): Attributes {
  return { 'messaging.operation.name': name, 'messaging.operation.type': name };
}

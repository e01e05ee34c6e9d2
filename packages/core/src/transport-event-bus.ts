import { randomUUID } from 'node:crypto';

import { checkReplayOptions, checkShutdownOptions } from './call-options.js';
import { ConsumeEngine } from './consume-engine.js';
import { ConsumptionControl } from './consumption-control.js';
import { createDeadLetterQueue } from './dead-letter-queue.js';
import type { EngineParts } from './engine-parts.js';
import { textHeaders } from './envelope.js';
import { type BusError, busClosed, busErrorOf } from './errors.js';
import type { DomainEvent } from './event.js';
import type {
  DeadLetterQueue,
  EventBus,
  EventBusStats,
  EventHandler,
  EventSubscriber,
  EventTypeOf,
  Health,
  Lag,
  PublishOptions,
  ReplayOptions,
  ReplayReport,
  ShutdownOptions,
  ShutdownReport,
} from './event-bus.js';
import { type HealthFacts, healthOf } from './health.js';
import { type Probe, probe } from './health-probe.js';
import { replayHistory } from './history-replay.js';
import { Lifecycle } from './lifecycle.js';
import { createMetrics } from './metrics.js';
import type { ResolvedEventBusOptions } from './options.js';
import { printable } from './printable.js';
import { PublishPath } from './publish-path.js';
import { Registry } from './registry.js';
import { RunningReplays } from './running-replays.js';
import { StatsCollector } from './stats.js';
import type { BusState, BusStatus } from './status.js';
import { StatusStream } from './status-stream.js';
import { type Clock, systemClock, TimerQueue } from './timers.js';
import { createTracing } from './tracing.js';
import type { GroupSpec, Transport, TransportEvents } from './transport.js';

const HEALTH_TIMEOUT_MS = 3_000;
/** A transport that cannot close in this time is left to itself: shutdown must end. */
const CLOSE_TIMEOUT_MS = 5_000;

/** What a bus is made of. */
export interface TransportEventBusParts {
  readonly transport: Transport;
  readonly options: ResolvedEventBusOptions;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** Source of jitter, from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

/** The bus, on any transport. Composes the parts and holds no algorithm of its own. Adapters extend it with a constructor. */
export class TransportEventBus implements EventBus {
  readonly #transport: Transport;
  readonly #options: ResolvedEventBusOptions;
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #stats = new StatsCollector();
  readonly #status = new StatusStream();
  readonly #lifecycle = new Lifecycle();
  readonly #registry: Registry;
  readonly #parts: EngineParts;
  readonly #engine: ConsumeEngine;
  readonly #publishing: PublishPath;
  readonly #consumption: ConsumptionControl;
  readonly #replays = new RunningReplays();
  readonly deadLetters: DeadLetterQueue;
  #connecting: Promise<void> | undefined;
  #closing: Promise<ShutdownReport> | undefined;
  #lastError: BusError | undefined;
  #disconnectedAtMs = 0;
  /** It has consumed, or tried to: its group's lag says something about it. */
  #isConsumer = false;

  constructor({ transport, options, clock = systemClock, random = Math.random }: TransportEventBusParts) {
    this.#transport = transport;
    this.#options = options;
    this.#clock = clock;
    this.#timers = new TimerQueue(clock);
    this.#registry = new Registry(options.events);
    this.#parts = this.#compose(random);
    this.#engine = new ConsumeEngine(this.#parts);
    this.#publishing = new PublishPath(this.#parts, transport, () => this.#connectIfIdle());
    this.#consumption = new ConsumptionControl(() => this.#consume());
    this.deadLetters = createDeadLetterQueue({
      store: async () => {
        await this.connect();
        return transport.deadLetters;
      },
      group: options.group,
      maxReplays: options.deadLetters.maxReplays,
      codec: options.codec,
      maxEventBytes: options.maxEventBytes,
      partitions: () => transport.partitions,
    });
  }

  get state(): BusState {
    return this.#lifecycle.state;
  }

  get stats(): EventBusStats {
    return this.#stats.snapshot();
  }

  async publish(events: DomainEvent | readonly DomainEvent[], options: PublishOptions = {}): Promise<void> {
    this.#lifecycle.assertOpen('publish');
    return this.#publish(events, options);
  }

  subscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): void {
    this.#registry.subscribe(type, handler);
  }

  unsubscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): boolean {
    return this.#registry.unsubscribe(type, handler);
  }

  subscribeAll(subscriber: EventSubscriber): void {
    this.#registry.subscribeAll(subscriber);
  }

  unsubscribeAll(subscriber: EventSubscriber): number {
    return this.#registry.unsubscribeAll(subscriber);
  }

  subscribeToAllEvents(handler: EventHandler): void {
    this.#registry.subscribeToAllEvents(handler);
  }

  unsubscribeFromAllEvents(handler: EventHandler): boolean {
    return this.#registry.unsubscribeFromAllEvents(handler);
  }

  async connect(): Promise<void> {
    this.#lifecycle.assertOpen('connect');
    if (this.state === 'ready' || this.state === 'reconnecting') return;
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async ensureGroup(): Promise<void> {
    await this.connect();
    await this.#parts.tracing.suppress(() => this.#transport.ensureGroup(this.#group()));
  }

  async startConsuming(): Promise<void> {
    this.#lifecycle.assertOpen('startConsuming');
    this.#isConsumer = true;
    return this.#consumption.start();
  }

  async stopConsuming(): Promise<void> {
    return this.#consumption.stop(this.#options.shutdownTimeoutMs);
  }

  pause(): void {
    this.#engine.pause();
  }

  resume(): void {
    this.#engine.resume();
  }

  async shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    checkShutdownOptions(options);
    this.#closing ??= this.#shutdown(options.timeoutMs ?? this.#options.shutdownTimeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async replay(options: ReplayOptions): Promise<ReplayReport> {
    checkReplayOptions(options);
    await this.connect();
    const { history, name, destination } = this.#transport;
    const { codec, maxEventBytes, group } = this.#options;
    const { services, tracing } = this.#parts;
    return this.#replays.run(options.signal, (signal) =>
      replayHistory({
        history,
        transportName: name,
        destination,
        sharedReplays: this.#parts.sharedReplays,
        group,
        codec,
        maxEventBytes,
        definitionFor: (type, version) => this.#registry.definitionFor(type, version),
        services,
        tracing,
        options: { ...options, signal },
      }),
    );
  }

  async lag(): Promise<Lag> {
    await this.connect();
    const { group } = this.#options;
    const partitions = await this.#parts.tracing.suppress(() => this.#transport.lag(group));
    const total = partitions.reduce((sum, { lag }) => sum + lag, 0);
    return { group, total, partitions };
  }

  async health(): Promise<Health> {
    const facts: HealthFacts = {
      state: this.state,
      consuming: this.#consumption.consuming,
      nowMs: this.#clock.now(),
      lastProgressAtMs: Math.max(this.#stats.lastPublishAtMs, this.#engine.lastSettledAtMs),
      oldestInFlightAtMs: this.#engine.oldestInFlightAtMs,
      lastError: this.#lastError,
      haltedPartitions: this.#engine.haltedPartitions,
      ping: undefined,
      lag: undefined,
    };
    if (this.state !== 'ready') return healthOf(facts);
    const [ping, lag] = await Promise.all([
      probe('ping', () => this.#ping(), HEALTH_TIMEOUT_MS),
      this.#probeLag(),
    ]);
    return healthOf({
      ...facts,
      state: this.state,
      nowMs: this.#clock.now(),
      lastError: this.#lastError,
      ping,
      lag,
    });
  }

  status(): AsyncIterable<BusStatus> {
    return this.#status.stream();
  }

  #ping(): Promise<void> {
    return this.#parts.tracing.suppress(() => this.#transport.ping(HEALTH_TIMEOUT_MS));
  }

  #probeLag(): Promise<Probe<number>> {
    return probe('lag', async () => (await this.lag()).total, HEALTH_TIMEOUT_MS);
  }

  /** For the metrics: nothing for a bus that only publishes, or that has no connection to ask on. */
  async #observedLag(): Promise<number | undefined> {
    if (!this.#isConsumer || this.state !== 'ready') return undefined;
    const lag = await this.#probeLag();
    return lag.ok ? lag.value : undefined;
  }

  #compose(random: () => number): EngineParts {
    const options = this.#options;
    const { name: system, destination, limits, capabilities } = this.#transport;
    return {
      options,
      group: options.group,
      destination,
      maxRecordBytes: limits.maxRecordBytes,
      sharedReplays: !capabilities.privateReplays,
      opener: randomUUID().slice(0, 13),
      registry: this.#registry,
      services: {
        publish: async (events, publishOptions) => {
          // Handlers may publish while the bus drains: otherwise their last attempt would fail for no reason of theirs.
          this.#lifecycle.assertNotClosed('context.publish');
          return this.#publish(events, publishOptions ?? {});
        },
        textHeaders: (record) => textHeaders(record.headers),
      },
      stats: this.#stats,
      tracing: createTracing({ ...options.tracing, system, clientId: options.consumerName }),
      metrics: createMetrics({
        ...options.metrics,
        system,
        destination,
        group: options.group,
        stats: this.#stats,
        lag: () => this.#observedLag(),
      }),
      clock: this.#clock,
      timers: this.#timers,
      random,
      onError: (error) => this.#onError(error),
      onStatus: (status) => this.#onStatus(status),
    };
  }

  async #publish(events: DomainEvent | readonly DomainEvent[], options: PublishOptions): Promise<void> {
    const list = Array.isArray(events) ? (events as readonly DomainEvent[]) : [events as DomainEvent];
    if (list.length === 0) return;
    const published = this.#publishing.publish(list, options);
    this.#connectIfIdle();
    return published;
  }

  /** A failure reaches publishers as the reason why their events were not sent. */
  #connectIfIdle(): void {
    if (this.state === 'idle') this.connect().catch(() => undefined);
  }

  async #open(): Promise<void> {
    this.#lifecycle.to('connecting');
    try {
      await this.#parts.tracing.suppress(() => this.#transport.open(this.#transportEvents()));
    } catch (cause) {
      const error = busErrorOf(cause, 'connect');
      this.#onError(error);
      this.#publishing.fail(error);
      if (this.#lifecycle.can('idle')) this.#lifecycle.to('idle');
      throw error;
    }
    if (!this.#lifecycle.can('ready')) {
      // A shutdown began meanwhile: it waits for what was published before it.
      this.#publishing.start();
      throw busClosed('connect');
    }
    this.#lifecycle.to('ready');
    this.#stats.connectedAtMs = this.#clock.now();
    this.#publishing.start();
    this.#onStatus({ type: 'connected', atMs: this.#clock.now() });
  }

  async #consume(): ReturnType<Transport['consume']> {
    await this.connect();
    const { consumerName, handOverTimeoutMs, maxInFlight } = this.#options;
    const spec = { group: this.#group(), consumerName, handOverTimeoutMs, maxInFlight };
    return this.#parts.tracing.suppress(() => this.#transport.consume(spec, this.#engine));
  }

  #group(): GroupSpec {
    const { group, startFrom, ephemeralGroup } = this.#options;
    return { name: group, startFrom, ephemeral: ephemeralGroup };
  }

  #transportEvents(): TransportEvents {
    return {
      disconnected: (cause) => {
        if (!this.#lifecycle.can('reconnecting')) return;
        this.#lifecycle.to('reconnecting');
        this.#disconnectedAtMs = this.#clock.now();
        this.#lastError = cause;
        this.#onStatus({ type: 'disconnected', atMs: this.#disconnectedAtMs, cause });
      },
      reconnected: () => {
        if (this.state !== 'reconnecting') return;
        this.#lifecycle.to('ready');
        this.#stats.reconnections += 1;
        this.#parts.metrics.reconnected();
        const atMs = this.#clock.now();
        this.#onStatus({ type: 'reconnected', atMs, downMs: atMs - this.#disconnectedAtMs });
      },
      rebalanced: (group, partitions) => {
        this.#stats.rebalanceCount += 1;
        this.#parts.metrics.rebalanced();
        this.#onStatus({ type: 'rebalanced', atMs: this.#clock.now(), group, partitions });
      },
      error: (error) => this.#onError(error),
      warning: (message) =>
        this.#onStatus({ type: 'warning', atMs: this.#clock.now(), message: printable(message) }),
      fenced: (count) => {
        this.#stats.fencedSettlements += count;
      },
    };
  }

  #onError(error: BusError): void {
    this.#lastError = error;
    this.#stats.lastErrorAtMs = this.#clock.now();
    this.#onStatus({ type: 'error', atMs: this.#stats.lastErrorAtMs, error });
  }

  #onStatus(status: BusStatus): void {
    this.#status.emit(status);
  }

  async #shutdown(timeoutMs: number): Promise<ShutdownReport> {
    const startedAtMs = this.#clock.elapsedMs();
    const leftMs = (): number => Math.max(0, startedAtMs + timeoutMs - this.#clock.elapsedMs());
    const releasedBefore = this.#stats.eventsReleased;
    const wasOpen = this.state === 'ready' || this.state === 'reconnecting';
    this.#lifecycle.to('draining');
    this.#onStatus({ type: 'draining', atMs: this.#clock.now() });
    const stopping = Promise.all([this.#consumption.stop(leftMs()), this.#replays.stop(busClosed('replay'))]);
    stopping.catch(() => undefined);
    // A start that still waits for the first connection fails with it: it is not waited for.
    const stopped = !wasOpen || (await this.#within(leftMs(), stopping));
    const flushed = await this.#within(leftMs(), this.#publishing.idle());
    const abandonedHandlers = this.#engine.abandonAll();
    const unflushedPublishes = this.#publishing.abort(busClosed('publish'));
    await this.#within(CLOSE_TIMEOUT_MS, this.#transport.close());
    this.#engine.close();
    this.#parts.metrics.shutdown();
    this.#timers.close();
    this.#lifecycle.to('closed');
    const durationMs = Math.round(this.#clock.elapsedMs() - startedAtMs);
    this.#onStatus({ type: 'closed', atMs: this.#clock.now() });
    this.#status.close();
    const released = this.#stats.eventsReleased - releasedBefore;
    return {
      clean: stopped && flushed && abandonedHandlers === 0 && unflushedPublishes === 0,
      abandonedHandlers,
      released,
      unflushedPublishes,
      durationMs,
    };
  }

  /** Waits for `work`, but not longer than `timeoutMs`; a failure is told and counts as not done. */
  async #within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
    const done = work.then(
      () => true,
      (error: unknown) => {
        this.#onError(busErrorOf(error, 'shut down'));
        return false;
      },
    );
    let cancel = (): void => undefined;
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(timeoutMs, () => resolve(false));
    });
    return Promise.race([done, late]).finally(() => cancel());
  }
}

import type { BusError } from './errors.js';
import type { DomainEvent, EventDefinition } from './event.js';
import type { BusState, BusStatus } from './status.js';

/**
 * The contract. Types and prose, nothing else; the same on every broker.
 *
 * Guaranteed: **at least once** to every group that exists when `publish` resolves; **order per key** (the aggregate
 * id, unless `partitionKey` says otherwise) in every group, with any number of competing processes and through
 * retries; retries and dead letters are private to the group; attempts are counted across crashes; nothing stalls on a
 * record that cannot be read; memory is bounded by configuration; the bus recovers from the broker's faults by itself.
 *
 * Not promised: exactly once (handlers must be idempotent: `eventId` is the key to do that with), and order across keys.
 */
export interface EventBus extends AsyncDisposable {
  /**
   * Resolves when the broker has durably accepted every event. Rejects with one `PublishError` that lists the events
   * whose acceptance was not confirmed; bad input (code `SERIALIZATION`, `VALIDATION`, `PAYLOAD_TOO_LARGE`) is found
   * before anything is sent, and then nothing of the call is sent. Events of one call, and of consecutive calls, that
   * have the same key keep their order. Concurrent calls are batched. `[]` does nothing. Connects when needed.
   */
  publish(events: DomainEvent | readonly DomainEvent[], options?: PublishOptions): Promise<void>;

  /**
   * Registers a handler for a type, or for a definition made with `defineEvent` (then typed, and validated before the
   * handler sees it). Takes effect at once, also inside a handler. The same handler registered twice is called twice.
   * Handlers of one event run one after the other, those of its type before the wildcards, in order of registration.
   */
  subscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): void;
  /** Removes the first matching registration. False when there was none. No invocation starts after it returned. */
  unsubscribe<E extends DomainEvent>(type: EventTypeOf<E>, handler: EventHandler<E>): boolean;
  /** Registers a subscriber for each type it names; `subscribedTo` is read once. */
  subscribeAll(subscriber: EventSubscriber): void;
  /** Removes every registration of this subscriber for a type; returns how many. */
  unsubscribeAll(subscriber: EventSubscriber): number;
  /** Registers a wildcard: called for events of every type. */
  subscribeToAllEvents(handler: EventHandler): void;
  /** Removes the first matching wildcard. */
  unsubscribeFromAllEvents(handler: EventHandler): boolean;

  /** Connects. Optional: `publish` and `startConsuming` do it when needed. Parallel calls share one attempt. */
  connect(): Promise<void>;
  /** Creates the consumer group on the broker without consuming, so that it keeps what is published from now on. */
  ensureGroup(): Promise<void>;
  /** Joins the group and starts to handle events. A second call while consuming does nothing. */
  startConsuming(): Promise<void>;
  /** Leaves the group after the running handlers have finished (bounded by the shutdown timeout). May be started again. */
  stopConsuming(): Promise<void>;
  /** Starts no further handler; membership and partitions are kept. */
  pause(): void;
  /** Ends `pause`. */
  resume(): void;
  /**
   * Stops fetching, lets running handlers finish, flushes publishes, commits, leaves the group, and closes what the bus
   * opened, never what it was given. After `timeoutMs` the handlers' `signal` aborts and what they held is released.
   * Idempotent; never rejects for a bus that is closed already.
   */
  shutdown(options?: ShutdownOptions): Promise<ShutdownReport>;

  readonly deadLetters: DeadLetterQueue;
  /** Reads history to the handlers given in the call. Live groups do not move. Code `UNSUPPORTED` where there is none. */
  replay(options: ReplayOptions): Promise<ReplayReport>;

  /** A snapshot. */
  readonly stats: EventBusStats;
  readonly state: BusState;
  /** How far the group is behind, from the broker's own numbers; also when nothing is consumed. */
  lag(): Promise<Lag>;
  /** Never throws: an unhealthy bus says so, with the reason. */
  health(): Promise<Health>;
  /** What happens from the call on, until the bus is closed or the reader stops. A slow reader loses the oldest first. */
  status(): AsyncIterable<BusStatus>;
}

/** Options of one `publish`. */
export interface PublishOptions {
  /**
   * Return at hand-off. Failures go to `status()` and `stats`; `shutdown` flushes. Above `maxBackgroundPublishes` the
   * call waits for its own events like any other, so that nothing is dropped and memory stays bounded.
   * @default false
   */
  readonly background?: boolean;
  /** Extra headers for every event of the call. Reserved names and line breaks are refused (`SERIALIZATION`). */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An event's type by name, or its definition. */
export type EventTypeOf<E extends DomainEvent> = E['eventType'] | EventDefinition<E>;

/** Return = done. Throw = retry by policy. `throw new NonRetryableError()` = dead letter at once. */
export type EventHandlerFunction<E extends DomainEvent = DomainEvent> = (
  event: E,
  context: HandlerContext,
) => void | Promise<void>;

/** The object form of a handler. `name` shows in dead letters and spans. */
export interface EventHandlerObject<E extends DomainEvent = DomainEvent> {
  readonly name?: string;
  handle(event: E, context: HandlerContext): void | Promise<void>;
}

/** A handler: a function, or an object with `handle`. */
export type EventHandler<E extends DomainEvent = DomainEvent> =
  | EventHandlerFunction<E>
  | EventHandlerObject<E>;

/** A handler that says itself which types it wants. */
export interface EventSubscriber extends EventHandlerObject {
  subscribedTo(): readonly EventTypeOf<DomainEvent>[];
}

/** What a handler is told besides the event. */
export interface HandlerContext {
  /**
   * 1 for the first run of the handlers of this event, counted across crashes; never more than `maxRetries + 1`. A run of
   * which the broker did not hear, because the partition was lost, is counted by the process that made it.
   */
  readonly attempt: number;
  readonly group: string;
  readonly partition: number;
  /** The broker's own place: offset, stream id, message id. */
  readonly position: string;
  /** The broker, the journal or this process knows that this event was delivered before. */
  readonly redelivered: boolean;
  /** True inside `bus.replay`. */
  readonly replay: boolean;
  /** Aborts when the handler's time is up, the partition was lost, or a shutdown ran out of time. */
  readonly signal: AbortSignal;
  /** Headers as they arrived, as text. */
  readonly headers: Readonly<Record<string, string>>;
  /** Publishes with `causationId` and `correlationId` filled in from the event being handled, where they are not set. */
  publish(events: CausedEvent | readonly CausedEvent[], options?: PublishOptions): Promise<void>;
}

/** An event to be published from a handler; the ids that tie it to its cause may be left out. */
export type CausedEvent = Omit<DomainEvent, 'correlationId'> & { readonly correlationId?: string };

/** Why an event was given up. */
export type DeadLetterReason =
  | 'max-retries'
  | 'non-retryable'
  | 'deserialization'
  | 'validation'
  | 'unknown-type'
  | 'crash';

/** An event that its group gave up on. */
export interface DeadLetter {
  /** Identity in the queue; `list({ after: id })` goes on behind it. */
  readonly id: string;
  readonly group: string;
  readonly reason: DeadLetterReason | (string & {});
  /** The event, when its bytes can be read. */
  readonly event?: DomainEvent;
  readonly eventId?: string;
  readonly eventType?: string;
  /** The bytes as they arrived. */
  readonly raw: Uint8Array;
  readonly key?: string;
  /** The headers as they arrived (without those of the dead letter itself). */
  readonly headers: Readonly<Record<string, string>>;
  readonly errorType: string;
  readonly errorMessage: string;
  readonly errorStack?: string;
  readonly handler?: string;
  /** How often handlers ran. 0 when none could be called. */
  readonly attempts: number;
  readonly firstFailedAt?: Date;
  readonly deadLetteredAt: Date;
  readonly source: { readonly destination: string; readonly partition: number; readonly position: string };
  readonly replayCount: number;
}

/** Which dead letters. All given conditions must hold. */
export interface DeadLetterFilter {
  /** @default the bus's own group; `'*'` for all groups */
  readonly group?: string;
  readonly ids?: readonly string[];
  readonly eventType?: string;
  readonly aggregateId?: string;
  readonly reason?: string;
  /** Dead-lettered before this instant. */
  readonly before?: Date;
  /** Dead-lettered at or after this instant. */
  readonly since?: Date;
}

/** The dead letters of a group: never dropped, listed oldest first. */
export interface DeadLetterQueue {
  /** Non-destructive, oldest first. `after` is the `id` of the last one seen. */
  list(
    filter?: DeadLetterFilter & { readonly after?: string; readonly limit?: number },
  ): AsyncIterable<DeadLetter>;
  count(filter?: DeadLetterFilter): Promise<number>;
  /**
   * Gives events back to the group that failed, and to no other, with attempts reset. Returns how many. An event that
   * was replayed `maxReplays` times is refused (`MAX_REPLAYS`) unless `force`.
   */
  replay(which: DeadLetter | DeadLetterFilter, options?: { readonly force?: boolean }): Promise<number>;
  /** Removes for good. Returns how many. */
  purge(which: DeadLetter | DeadLetterFilter): Promise<number>;
}

/** A place in history: per partition, the first position to read. */
export interface HistoryPositions {
  readonly positions: Readonly<Record<number, string>>;
}

/** What to replay, and to whom. */
export interface ReplayOptions {
  readonly from: 'beginning' | Date | HistoryPositions;
  /** Exclusive. @default the end of the stream as it stands at the call */
  readonly until?: Date | HistoryPositions;
  /** Called in order of the partition, one event after the other. A throw ends the replay and rejects it. */
  readonly handler: EventHandler;
  /** Only these types. @default all */
  readonly types?: readonly EventTypeOf<DomainEvent>[];
  readonly signal?: AbortSignal;
}

/** What a replay did. */
export interface ReplayReport {
  /** Events given to the handler. */
  readonly events: number;
  /** Records that could not be read as events, or that the codec refused. */
  readonly unreadable: number;
  /** True when `from` lies before the oldest event that the broker still keeps. */
  readonly truncated: boolean;
}

/** Options of `shutdown`. */
export interface ShutdownOptions {
  /** How long running handlers may take to finish. 0 gives up at once. @default `shutdownTimeoutMs` of the bus */
  readonly timeoutMs?: number;
}

/** How a shutdown went. */
export interface ShutdownReport {
  /** Every handler finished, every publish was confirmed. */
  readonly clean: boolean;
  /** Handlers that were still running when the time was up. */
  readonly abandonedHandlers: number;
  /** Events given back unprocessed. */
  readonly released: number;
  /** Publishes that were rejected because the time was up. */
  readonly unflushedPublishes: number;
  readonly durationMs: number;
}

/** Percentiles of the most recent durations, in milliseconds. */
export interface LatencyStats {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Counters since the bus was made; one meaning on every broker. At rest
 * `eventsProcessedSuccess + messagesSentToDlq + eventsDropped + eventsIgnored + eventsReleased + inFlight = eventsConsumed`.
 */
export interface EventBusStats {
  /** Events whose acceptance the broker confirmed. */
  readonly eventsPublished: number;
  /** Deliveries received from the broker (not attempts). */
  readonly eventsConsumed: number;
  /** Deliveries all of whose handlers succeeded. */
  readonly eventsProcessedSuccess: number;
  /** Attempts in which at least one handler failed. */
  readonly eventsProcessedFailed: number;
  readonly messagesSentToDlq: number;
  /** Handler invocations that threw or timed out. */
  readonly handlerErrors: number;
  readonly reconnections: number;
  readonly rebalanceCount: number;
  /** Attempts after the first. */
  readonly retries: number;
  /** Deliveries that are known to have been delivered before. */
  readonly redeliveries: number;
  /** Acked without a handler: no handler for the type, or meant for another group. */
  readonly eventsIgnored: number;
  /** Given up with dead letters disabled and the policy `drop`. */
  readonly eventsDropped: number;
  /** Given back to the broker unprocessed (shutdown, partition lost). */
  readonly eventsReleased: number;
  /** Events that `publish` did not place: refused as bad input, or not accepted by the broker. */
  readonly publishErrors: number;
  /** Settlements that came too late: the partition had gone to another process. */
  readonly fencedSettlements: number;
  /** Deliveries that are not settled yet. */
  readonly inFlight: number;
  /** Events accepted by `publish` and not yet confirmed. */
  readonly pendingPublishes: number;
  readonly lastPublishAt: Date | undefined;
  readonly lastConsumeAt: Date | undefined;
  readonly lastErrorAt: Date | undefined;
  readonly connectedAt: Date | undefined;
  readonly publishLatency: LatencyStats;
  readonly handlerLatency: LatencyStats;
}

/** How far a group is behind. */
export interface Lag {
  readonly group: string;
  /** Events published and not yet settled by the group. */
  readonly total: number;
  readonly partitions: readonly { readonly partition: number; readonly lag: number }[];
}

/** Whether the bus works, and if not, why. */
export interface Health {
  readonly healthy: boolean;
  /** Set when unhealthy. */
  readonly reason?: string;
  readonly state: BusState;
  readonly connected: boolean;
  readonly consuming: boolean;
  /** Since the last confirmed publish or settled delivery; undefined before the first. */
  readonly secondsSinceProgress: number | undefined;
  /** Undefined when the broker did not answer in time. */
  readonly lag: number | undefined;
  readonly oldestInFlightMs: number | undefined;
  readonly lastError: BusError | undefined;
}

import type { BusError } from './errors.js';

/**
 * The SPI: what an adapter implements for its broker. Core decides, the adapter moves.
 *
 * **Not the implementer's job**, and wrong in an adapter: calling handlers, counting or delaying retries, parsing or
 * building events, writing the headers of dead letters, spans, metrics and counters, the subscription table, the
 * lifecycle of the bus, batching of publishes, per-key ordering, deciding when to dead-letter.
 *
 * **The implementer's job**: connections and their recovery, topology, moving records in order, partition ownership
 * (who consumes what, and fencing those who no longer do), making settlements durable, storing one small journal
 * document per partition and group, mapping the broker's errors to `BusError`.
 */
export interface Transport {
  /** `messaging.system` of OpenTelemetry: `kafka`, `redis`, `rabbitmq`, `memory`. */
  readonly name: string;
  /** What records are sent to: topic, stream, exchange. */
  readonly destination: string;
  readonly capabilities: Capabilities;
  readonly limits: TransportLimits;
  /** How many partitions the stream has. Valid once `open` has resolved; may grow later. */
  readonly partitions: number;

  /**
   * Connects and makes sure that what is needed to publish exists. Creates no group, joins nothing. Rejects with
   * `CONNECT`, `AUTHENTICATION`, `AUTHORIZATION`, `TLS` or `CONFIGURATION`; may be called again after a rejection.
   * From then on the adapter keeps itself connected and tells through `events`.
   */
  open(events: TransportEvents): Promise<void>;

  /**
   * Sends in the order given and settles when the broker has durably accepted or refused each record. Records of one
   * partition never overtake each other, also not when a part is sent again. Core has one call outstanding and repeats
   * what failed with a retryable error, in order. Never rejects: failures are in the result. Flow control is waiting,
   * never an error.
   */
  send(records: readonly OutboundRecord[]): Promise<SendResult>;

  /** Creates the group with its start position if it does not exist; never moves one that does. */
  ensureGroup(group: GroupSpec): Promise<void>;

  /**
   * Joins the group and delivers until stopped. Resolves once joined. Recovers by itself for ever (with back-off) and
   * reports through `TransportEvents`.
   */
  consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption>;

  readonly deadLetters: DeadLetterStore;
  /** Absent when the broker keeps no history. */
  readonly history?: HistoryReader;

  /** The broker's own numbers. One entry a partition. */
  lag(group: string): Promise<readonly PartitionLag[]>;
  /** One round trip. Rejects with a `BusError` when the broker does not answer within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;
  /** Closes what the adapter opened, never what it was given. Idempotent. Nothing of it is left afterwards. */
  close(): Promise<void>;
}

/** What the transport can do: data that core, the conformance kit and the documentation read. */
export interface Capabilities {
  /** Events survive a restart of the broker. */
  readonly durable: boolean;
  /** History can be read again: not at all, from a position, or also from a time. */
  readonly history: 'none' | 'position' | 'time';
  /** Several processes may share a group. */
  readonly competing: boolean;
  /**
   * Only its group ever sees a dead letter that is given back. Then a header that keeps an event from the other groups
   * (`target_group`) means nothing here: whoever writes it cannot hide an event. @default false
   */
  readonly privateReplays?: boolean;
}

/** Sizes that core keeps to. */
export interface TransportLimits {
  /** Largest value of one record in bytes, headers not counted. More is refused with `PAYLOAD_TOO_LARGE` before sending. */
  readonly maxRecordBytes: number;
  /** Most records of one `send`, per partition. */
  readonly maxRecordsPerPartition: number;
  /** Most bytes (values, keys and headers) of one `send`, per partition. */
  readonly maxBytesPerPartition: number;
}

/** How the adapter tells what happens to it. Calls never throw. */
export interface TransportEvents {
  /** The connection that publishing or consuming needs is gone. Once per outage. */
  disconnected(cause: BusError): void;
  /** It is back. */
  reconnected(): void;
  rebalanced(group: string, partitions: readonly number[]): void;
  /** Something went wrong that did not end the connection. */
  error(error: BusError): void;
  warning(message: string): void;
  /** A settlement was refused because the partition belongs to another process now. */
  fenced(count: number): void;
}

/** Header values as clients give them. */
export type HeaderValue = string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
/** Headers as they arrived. */
export type InboundHeaders = Readonly<Record<string, HeaderValue>>;

/** One record to be sent: complete, built by core. */
export interface OutboundRecord {
  readonly partition: number;
  /** Undefined only for the dead letter of a record that had none. */
  readonly key: string | undefined;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, HeaderValue>>;
  readonly timestampMs: number;
  /** What some brokers keep beside the body. */
  readonly event: RecordAttributes;
}

/** Attributes of the event in a record, for routing keys, entry fields and message properties. */
export interface RecordAttributes {
  /** Empty strings and version 0 stand for what a dead-lettered, unreadable record does not say. */
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly aggregateType: string;
  readonly aggregateVersion: number;
  readonly tenantId?: string;
  readonly actorId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** ISO 8601 in UTC, with the precision that arrived. */
  readonly occurredAt: string;
}

/** Outcome of a `send`. Empty `failures` means that all are durable. */
export interface SendResult {
  readonly failures: readonly { readonly index: number; readonly error: BusError }[];
}

/** One record from the broker, untouched. */
export interface InboundRecord {
  /** Text of the key; undefined when the record has none. */
  readonly key: string | undefined;
  readonly value: Uint8Array | null;
  readonly headers: InboundHeaders;
  /** Names the record in its partition: the same at every delivery, different from every other. */
  readonly position: string;
  readonly timestampMs: number | undefined;
  /** True when the broker knows that it delivered this record to the group before. */
  readonly redelivered: boolean;
  /**
   * Why the transport itself cannot read what is stored at this position, and no later attempt could; then `value` is
   * what is stored. It becomes a dead letter.
   */
  readonly unreadable?: BusError;
}

/** A consumer group. */
export interface GroupSpec {
  readonly name: string;
  /** Where a new group starts. An existing one is where it is. */
  readonly startFrom: 'earliest' | 'latest';
  /** Starts at the latest, and is removed from the broker by `Consumption.stop`. */
  readonly ephemeral: boolean;
}

/** What is to be consumed, and how. */
export interface ConsumeSpec {
  readonly group: GroupSpec;
  /** Name of this member, for the broker's tools. */
  readonly consumerName: string;
  /** How long a partition may drain before it is handed over all the same. */
  readonly handOverTimeoutMs: number;
  /** How many unsettled deliveries core accepts. The adapter sizes prefetch and fetches by it. */
  readonly maxInFlight: number;
}

/** A running consumption. */
export interface Consumption {
  /**
   * Stops fetching, hands every partition over (`AssignedPartition.handOver`), makes settlements durable, leaves the
   * group. After it resolved nothing is delivered. Idempotent.
   */
  stop(timeoutMs: number): Promise<void>;
}

/** Core's side of consumption. */
export interface DeliverySink {
  /**
   * This process owns the partition now. Synchronous, so that no delivery can come before it. Handlers start after
   * `open` of the result. A partition that is assigned again after `lost` is a new assignment.
   */
  assign(partition: number, port: PartitionPort): AssignedPartition;
}

/** Core's handle on a partition that this process owns. One object per ownership: "lost" is one flag. */
export interface AssignedPartition {
  /** Records in the order of the partition. Never blocks; back-pressure is `PartitionPort.pause`. Ignored after `lost`. */
  deliver(records: readonly InboundRecord[]): void;
  /**
   * The journals of **all** partitions of the group as the broker has them (not only of this one): what tells a crash of
   * the former owner from a clean hand-over, and which event it was handling. Resolves when handlers may start.
   * Rejects when the journal cannot be saved; then the adapter calls `lost` and gives the partition up or tries again.
   */
  open(journals: ReadonlyMap<number, string>): Promise<void>;
  /**
   * Starts no further handler, waits for the running ones (bounded), tells the port everything that is settled, and
   * saves a journal that says "clean". What is not started stays queued for `resume`.
   */
  handOver(timeoutMs: number): Promise<void>;
  /** Still ours after `handOver` (a rebalance that did not move it). */
  resume(): Promise<void>;
  /** No longer ours. Queued records are forgotten, results of running handlers are ignored, their signals abort. */
  lost(): void;
}

/**
 * The adapter's side of an owned partition. All calls act on the ownership (connection, channel, generation, lease
 * token) that the port was made for; when that is gone they do nothing, are reported as `fenced`, and never throw
 * synchronously.
 */
export interface PartitionPort {
  /**
   * Whether nobody else can own the partition yet. False as soon as another process may, for example because this one
   * stood still for longer than its lease, and before the adapter has noticed and called `lost`: no handler starts then.
   * Once false it stays false until `lost`. Asked before every handler, so it must be cheap.
   */
  readonly isOwned: boolean;
  /**
   * These are done: handled, ignored or dead-lettered. Called at most once per turn of the event loop with everything
   * that finished in it. Must be cheap: the adapter makes it durable in its own rhythm, at the latest in `flush`.
   */
  settled(batch: SettledBatch): void;
  /** Resolves when everything told by `settled` is durable. */
  flush(): Promise<void>;
  /**
   * Stores the journal of this partition and group (a small JSON text, at most 4,000 bytes); the latest wins. Resolves
   * when it is durable.
   */
  saveJournal(journal: string): Promise<void>;
  /**
   * Writes a dead letter durably. `source` is the record given up. Resolves when written; core settles the source
   * afterwards (an adapter that acks in the same step treats that as done). Rejects when it could not: core tries again.
   */
  deadLetter(source: InboundRecord, letter: OutboundRecord): Promise<void>;
  /** Deliver no more until `resume`; what was fetched already may still be delivered. */
  pause(): void;
  resume(): void;
}

/** Deliveries that were settled, and how far the partition is settled without a gap. */
export interface SettledBatch {
  /** In the order in which they were settled. */
  readonly records: readonly InboundRecord[];
  /** The last record that is settled together with all before it; undefined while the first is still open. */
  readonly watermark: InboundRecord | undefined;
  /** The journal as it stands with this batch, for brokers that store both in one place. */
  readonly journal: string;
}

/** Lag of one partition. */
export interface PartitionLag {
  readonly partition: number;
  readonly lag: number;
}

/** A dead letter as stored. */
export interface StoredDeadLetter {
  /** Opaque, unique, ordered as listed. */
  readonly id: string;
  readonly record: InboundRecord;
}

/** Where dead letters are kept. Replayed and purged ones no longer appear. */
export interface DeadLetterStore {
  /** Pages, oldest first, of every group that shares the store, from behind `after`. Ends at what exists at the call. */
  read(query: {
    readonly group: string | undefined;
    readonly after: string | undefined;
    readonly pageSize: number;
  }): AsyncIterable<readonly StoredDeadLetter[]>;
  /**
   * Gives the record back to `group` and to no other, then removes the dead letter. False when it was gone already.
   * The record carries the group's name in its headers for brokers where all groups see it.
   */
  replay(letter: StoredDeadLetter, group: string, record: OutboundRecord): Promise<boolean>;
  /** Removes; returns how many were there. */
  remove(letters: readonly StoredDeadLetter[], group: string): Promise<number>;
}

/** What part of history to read. Positions name the first record to read; `until` is exclusive. */
export interface HistoryQuery {
  readonly from:
    | { readonly kind: 'beginning' }
    | { readonly kind: 'time'; readonly timeMs: number }
    | { readonly kind: 'positions'; readonly positions: Readonly<Record<number, string>> };
  readonly until:
    | { readonly kind: 'now' }
    | { readonly kind: 'time'; readonly timeMs: number }
    | { readonly kind: 'positions'; readonly positions: Readonly<Record<number, string>> };
  readonly signal: AbortSignal | undefined;
}

/** An opened range of history. */
export interface HistoryRange {
  /** The range starts before the oldest record that is still kept. */
  readonly truncated: boolean;
  /** In order within each partition. Ends at the end of the range. */
  readonly batches: AsyncIterable<{ readonly partition: number; readonly records: readonly InboundRecord[] }>;
}

/** Reads what the broker keeps, without a group. */
export interface HistoryReader {
  open(query: HistoryQuery): Promise<HistoryRange>;
}

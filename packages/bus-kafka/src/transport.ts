import {
  BusError,
  busClosed,
  type Capabilities,
  type ConsumeSpec,
  type Consumption,
  type DeadLetterStore,
  type DeliverySink,
  type GroupSpec,
  type HistoryReader,
  type OutboundRecord,
  openPatiently,
  type PartitionLag,
  patiently,
  RunningConsumers,
  type SendResult,
  type Transport,
  type TransportEvents,
  type TransportLimits,
  within,
} from '@omnibus/core/transport';
import { registerCodecs } from './compression.js';
import { Connection } from './connection.js';
import { KafkaConsumer } from './consumer.js';
import { toBusError } from './errors.js';
import { GroupCoordinator, lagOf, pinGroup } from './groups.js';
import { BATCH_OVERHEAD_BYTES, type KafkaSettings } from './options.js';
import { topicNames } from './topology.js';

const NO_FAILURES: SendResult = { failures: [] };
const MAX_RECORDS_PER_PARTITION = 1_000;
/** What a record needs in a batch beside its key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 40;

/** What the transport is made with. */
export interface KafkaTransportSettings extends KafkaSettings {
  readonly connectTimeoutMs: number;
}

/** Kafka, for core. Composes the parts. */
export class KafkaTransport implements Transport {
  readonly name = 'kafka';
  readonly destination: string;
  readonly capabilities: Capabilities = { durable: true, history: 'time', competing: true };
  readonly limits: TransportLimits;
  private readonly consumers = new RunningConsumers<KafkaConsumer>();
  private connection: Connection | undefined;
  private readonly closing = new AbortController();

  constructor(private readonly settings: KafkaTransportSettings) {
    this.destination = topicNames(settings.topicPrefix).stream;
    const { maxRequestBytes } = settings;
    this.limits = {
      maxRecordBytes: maxRequestBytes - BATCH_OVERHEAD_BYTES,
      maxRecordsPerPartition: MAX_RECORDS_PER_PARTITION,
      maxBytesPerPartition: Math.max(
        BATCH_OVERHEAD_BYTES,
        maxRequestBytes - BATCH_OVERHEAD_BYTES - MAX_RECORDS_PER_PARTITION * RECORD_OVERHEAD_BYTES,
      ),
    };
  }

  get partitions(): number {
    return this.connection?.view.partitions ?? 0;
  }

  get deadLetters(): DeadLetterStore {
    return this.open_.deadLetters;
  }

  get history(): HistoryReader {
    return this.open_.history;
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.closed) throw busClosed('open');
    registerCodecs(this.settings.compressionCodecs);
    this.connection = await openPatiently(() => new Connection(this.settings, events), {
      timeoutMs: this.settings.connectTimeoutMs,
      asBusError: (error) => toBusError(error, `connect to Kafka at ${this.settings.brokers.join(', ')}`),
      signal: this.closing.signal,
    });
    if (this.closed) await this.connection.close();
  }

  async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    const failures = await this.open_.stream.send(records);
    if (failures.size === 0) return NO_FAILURES;
    return { failures: [...failures].map(([index, error]) => ({ index, error })) };
  }

  async ensureGroup(group: GroupSpec): Promise<void> {
    await this.pin(group);
  }

  private pin(group: GroupSpec): Promise<ReadonlyMap<number, string>> {
    const { cluster, view } = this.open_;
    // A cluster that was just started has no coordinators for a while.
    return patiently(() => pinGroup(new GroupCoordinator(cluster, group.name), view, group), {
      timeoutMs: this.settings.requestTimeoutMs,
      asBusError: (error) => toBusError(error, `create the group ${group.name}`),
      isOver: () => this.closed,
    });
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    const connection = this.open_;
    // Before the join: from now on the group keeps what is published, also while it is still being shared out.
    const pinned = await this.pin(spec.group);
    const consumer = new KafkaConsumer(connection.consumerParts(spec.group.name, pinned), spec, sink);
    return this.consumers.start(consumer);
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    const { cluster, view } = this.open_;
    try {
      return await lagOf(new GroupCoordinator(cluster, group), view);
    } catch (error) {
      throw toBusError(error, `read the lag of the group ${group}`);
    }
  }

  async ping(timeoutMs: number): Promise<void> {
    const late = (): BusError => new BusError('TIMEOUT', `Kafka did not answer within ${timeoutMs} ms`);
    try {
      await within(timeoutMs, this.open_.view.refresh(), late);
    } catch (error) {
      throw toBusError(error, 'reach Kafka');
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.consumers.stopAll();
    await this.connection?.close();
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private get open_(): Connection {
    if (!this.connection || this.closed) throw busClosed('The Kafka transport');
    return this.connection;
  }
}

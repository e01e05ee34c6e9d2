import {
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
} from '@omnibus/core/transport';
import { Connection } from './connection.js';
import { RabbitMQConsumer } from './consumer.js';
import { toBusError } from './errors.js';
import type { RabbitMQSettings } from './options.js';

const MAX_RECORDS_PER_PARTITION = 1_000;
const MAX_BYTES_PER_PARTITION = 4_194_304;

/** What the transport is made with. */
export interface RabbitMQTransportSettings extends RabbitMQSettings {
  readonly connectTimeoutMs: number;
}

/** RabbitMQ, for core. Composes the parts. */
export class RabbitMQTransport implements Transport {
  readonly name = 'rabbitmq';
  readonly destination: string;
  readonly capabilities: Capabilities;
  readonly limits: TransportLimits;
  private readonly consumers = new RunningConsumers<RabbitMQConsumer>();
  private connection: Connection | undefined;
  private readonly closing = new AbortController();

  constructor(private readonly settings: RabbitMQTransportSettings) {
    this.destination = settings.exchange;
    this.capabilities = {
      durable: true,
      history: settings.history ? 'time' : 'none',
      competing: true,
      // A dead letter goes back into the queue of its group.
      privateReplays: true,
    };
    this.limits = {
      maxRecordBytes: settings.maxMessageBytes,
      maxRecordsPerPartition: MAX_RECORDS_PER_PARTITION,
      maxBytesPerPartition: Math.max(settings.maxMessageBytes, MAX_BYTES_PER_PARTITION),
    };
  }

  get partitions(): number {
    return this.connection?.partitions ?? 0;
  }

  get deadLetters(): DeadLetterStore {
    return this.open_.deadLetters;
  }

  get history(): HistoryReader {
    return this.open_.history;
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.closed) throw busClosed('open');
    this.connection = await openPatiently(() => new Connection(this.settings, events, this.consumers), {
      timeoutMs: this.settings.connectTimeoutMs,
      asBusError: (error) => toBusError(error, 'connect to RabbitMQ'),
      signal: this.closing.signal,
    });
    if (this.closed) await this.connection.close();
  }

  send(records: readonly OutboundRecord[]): Promise<SendResult> {
    return this.open_.stream.send(records);
  }

  /** Works out a failure of the moment; a group that cannot be made as configured is an error at once. */
  ensureGroup(group: GroupSpec): Promise<void> {
    return patiently(() => this.open_.ensureGroup(group), {
      timeoutMs: this.settings.requestTimeoutMs,
      asBusError: (error) => toBusError(error, `create the group ${group.name}`),
      isOver: () => this.closed,
    });
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    // Before the join: from now on the group keeps what is published, also while it is still being shared out.
    await this.ensureGroup(spec.group);
    const consumer = new RabbitMQConsumer(this.open_.consumerParts(spec.group), spec, sink);
    return this.consumers.start(consumer);
  }

  lag(group: string): Promise<readonly PartitionLag[]> {
    return this.open_.lag(group);
  }

  ping(timeoutMs: number): Promise<void> {
    return this.open_.ping(timeoutMs);
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
    if (!this.connection || this.closed) throw busClosed('The RabbitMQ transport');
    return this.connection;
  }
}

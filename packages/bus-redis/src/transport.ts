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
  type PartitionLag,
  patiently,
  RunningConsumers,
  type SendResult,
  type Transport,
  type TransportEvents,
  type TransportLimits,
  within,
} from '@omnibus/core/transport';
import { Connection, type ConnectionOptions } from './connection.js';
import { RedisConsumer } from './consumer.js';
import { toBusError } from './errors.js';
import { Keys } from './keys.js';
import { MAX_RECORD_BYTES } from './options.js';

const NO_FAILURES: SendResult = { failures: [] };

/** What the transport is made with. */
export interface RedisTransportSettings extends ConnectionOptions {
  readonly connectTimeoutMs: number;
}

/** Redis, for core. Composes the parts. */
export class RedisTransport implements Transport {
  readonly name = 'redis';
  readonly destination: string;
  readonly capabilities: Capabilities = { durable: true, history: 'time', competing: true };
  readonly limits: TransportLimits = {
    maxRecordBytes: MAX_RECORD_BYTES,
    maxRecordsPerPartition: 1_000,
    // One script appends them all, and nothing else happens at the server meanwhile.
    maxBytesPerPartition: 4_194_304,
  };
  private readonly consumers = new RunningConsumers<RedisConsumer>();
  private opening: Connection | undefined;
  private connection: Connection | undefined;
  private closed = false;

  constructor(private readonly settings: RedisTransportSettings) {
    this.destination = new Keys(settings.streamPrefix, false).stream;
  }

  get partitions(): number {
    return this.connection?.topology.partitions ?? 0;
  }

  get deadLetters(): DeadLetterStore {
    return this.open_.deadLetters;
  }

  get history(): HistoryReader {
    return this.open_.history;
  }

  async open(events: TransportEvents): Promise<void> {
    if (this.closed) throw busClosed('open');
    const connection = new Connection(this.settings, events);
    this.opening = connection;
    const { connectTimeoutMs } = this.settings;
    const late = (): BusError =>
      new BusError('CONNECT', `Redis cannot be used within connectTimeoutMs (${connectTimeoutMs} ms)`, {
        cause: connection.whyNot(),
      });
    try {
      await within(connectTimeoutMs, connection.open(), late);
    } catch (error) {
      await connection.close();
      throw toBusError(error, 'open the connection to Redis');
    }
    this.connection = connection;
  }

  async send(records: readonly OutboundRecord[]): Promise<SendResult> {
    const failures = await this.open_.stream.send(records);
    if (failures.size === 0) return NO_FAILURES;
    return { failures: [...failures].map(([index, error]) => ({ index, error })) };
  }

  async ensureGroup(group: GroupSpec): Promise<void> {
    const { topology } = this.open_;
    // A node that is being replaced is back in a moment.
    await patiently(() => topology.ensureGroup(group), {
      timeoutMs: this.settings.requestTimeoutMs,
      asBusError: (error) => toBusError(error, `create the group ${group.name}`),
      isOver: () => this.closed,
    });
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    const connection = this.open_;
    // Before the join: from now on the group keeps what is published, also while it is still being shared out.
    await this.ensureGroup(spec.group);
    const consumer = new RedisConsumer(connection.consumerParts(), spec, sink);
    return this.consumers.start(consumer);
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    try {
      return await this.open_.topology.lag(group);
    } catch (error) {
      throw toBusError(error, `read the lag of the group ${group}`);
    }
  }

  async ping(timeoutMs: number): Promise<void> {
    const late = (): BusError => new BusError('TIMEOUT', `Redis did not answer within ${timeoutMs} ms`);
    try {
      await within(timeoutMs, this.open_.ping(), late);
    } catch (error) {
      throw toBusError(error, 'reach Redis');
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.consumers.stopAll();
    await this.opening?.close();
  }

  private get open_(): Connection {
    if (!this.connection || this.closed) throw busClosed('The Redis transport');
    return this.connection;
  }
}

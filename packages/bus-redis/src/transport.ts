import {
  BusError,
  busClosed,
  type Capabilities,
  type ConsumeSpec,
  type Consumption,
  type DeadLetterStore,
  type DeliverySink,
  delay,
  Elapsed,
  type GroupSpec,
  type HistoryReader,
  type OutboundRecord,
  type PartitionLag,
  reconnectDelayMs,
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
  private readonly consumers = new Set<RedisConsumer>();
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
    await this.patiently(`create the group ${group.name}`, () => topology.ensureGroup(group));
  }

  async consume(spec: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    const connection = this.open_;
    // Before the join: from now on the group keeps what is published, also while it is still being shared out.
    await this.ensureGroup(spec.group);
    const consumer = new RedisConsumer(connection.consumerParts(), spec, sink);
    this.consumers.add(consumer);
    try {
      await consumer.start();
    } catch (error) {
      this.consumers.delete(consumer);
      throw error;
    }
    return {
      stop: async (timeoutMs) => {
        await consumer.stop(timeoutMs);
        this.consumers.delete(consumer);
      },
    };
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
    await Promise.all([...this.consumers].map((consumer) => consumer.stop(0)));
    await this.opening?.close();
  }

  /** A node that is being replaced is back in a moment. */
  private async patiently(doing: string, work: () => Promise<void>): Promise<void> {
    const since = new Elapsed();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await work();
        return;
      } catch (error) {
        const reason = toBusError(error, doing);
        if (!reason.retryable || this.closed || since.ms > this.settings.requestTimeoutMs) throw reason;
        await delay(reconnectDelayMs(attempt));
      }
    }
  }

  private get open_(): Connection {
    if (!this.connection || this.closed) throw busClosed('The Redis transport');
    return this.connection;
  }
}

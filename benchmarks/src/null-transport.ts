import type {
  AssignedPartition,
  ConsumeSpec,
  Consumption,
  DeadLetterStore,
  DeliverySink,
  InboundRecord,
  PartitionPort,
  SendResult,
  SettledBatch,
  Transport,
} from '@omnibus/core/transport';

/** Records that come at once, as from one fetch. */
const DELIVERY_SIZE = 500;
const EMPTY: SendResult = { failures: [] };

/**
 * A transport that costs as little as one can: it takes what is sent and forgets it, and delivers records that it was
 * given. What a bus on it costs is what core costs.
 */
export class NullTransport implements Transport {
  readonly name = 'null';
  readonly destination = 'nowhere';
  readonly capabilities = { durable: false, history: 'none', competing: false } as const;
  readonly limits = {
    maxRecordBytes: 1_000_000,
    maxRecordsPerPartition: 1_000,
    maxBytesPerPartition: 1_000_000,
  };
  readonly deadLetters: DeadLetterStore = {
    async *read() {},
    replay: async () => false,
    remove: async () => 0,
  };
  readonly partitions: number;

  /** `records` by partition: what a consumer is delivered. */
  constructor(private readonly records: readonly (readonly InboundRecord[])[]) {
    this.partitions = records.length;
  }

  async open(): Promise<void> {}
  async ensureGroup(): Promise<void> {}
  async ping(): Promise<void> {}
  async close(): Promise<void> {}
  async lag(): Promise<[]> {
    return [];
  }

  async send(): Promise<SendResult> {
    return EMPTY;
  }

  async consume(_: ConsumeSpec, sink: DeliverySink): Promise<Consumption> {
    const ports = this.records.map((records, partition) => new NullPort(partition, records, sink));
    await Promise.all(ports.map((port) => port.open()));
    return {
      stop: async (timeoutMs) => {
        await Promise.all(ports.map((port) => port.stop(timeoutMs)));
      },
    };
  }
}

/** A partition that delivers whenever it is not paused, one piece in a turn of the event loop. */
class NullPort implements PartitionPort {
  private readonly assigned: AssignedPartition;
  private next = 0;
  private paused = false;
  private scheduled = false;

  constructor(
    partition: number,
    private readonly records: readonly InboundRecord[],
    sink: DeliverySink,
  ) {
    this.assigned = sink.assign(partition, this);
  }

  async open(): Promise<void> {
    await this.assigned.open(new Map());
    this.deliverSoon();
  }

  async stop(timeoutMs: number): Promise<void> {
    this.paused = true;
    await this.assigned.handOver(timeoutMs);
    this.assigned.lost();
  }

  settled(_: SettledBatch): void {}
  async flush(): Promise<void> {}
  async saveJournal(): Promise<void> {}
  async deadLetter(): Promise<void> {}

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.deliverSoon();
  }

  private deliverSoon(): void {
    if (this.scheduled || this.next >= this.records.length) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.paused) return;
      const from = this.next;
      this.next = from + DELIVERY_SIZE;
      this.assigned.deliver(this.records.slice(from, this.next));
      this.deliverSoon();
    });
  }
}

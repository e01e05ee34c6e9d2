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

const EMPTY: SendResult = { failures: [] };

/** What a partition delivers: the same records again and again, each time at once as from one fetch, so many times. */
export interface Supply {
  readonly records: readonly InboundRecord[];
  readonly times: number;
}

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

  /** One supply for each partition. */
  constructor(private readonly supplies: readonly Supply[]) {
    this.partitions = supplies.length;
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
    const ports = this.supplies.map((supply, partition) => new NullPort(partition, supply, sink));
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
  readonly isOwned = true;
  private readonly assigned: AssignedPartition;
  private delivered = 0;
  private paused = false;
  private scheduled = false;

  constructor(
    partition: number,
    private readonly supply: Supply,
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
    const { records, times } = this.supply;
    if (this.scheduled || this.delivered === times) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.paused) return;
      this.delivered += 1;
      this.assigned.deliver(records);
      this.deliverSoon();
    });
  }
}

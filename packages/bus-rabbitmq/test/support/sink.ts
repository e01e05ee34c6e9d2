import type {
  AssignedPartition,
  ConsumeSpec,
  DeliverySink,
  InboundRecord,
  PartitionPort,
} from '@omnibus/core/transport';

/** A record as it was delivered. */
export interface Delivered {
  readonly partition: number;
  readonly value: string;
  readonly record: InboundRecord;
}

/** One ownership of a partition, as core would see it. */
export class SinkPartition implements AssignedPartition {
  journals: ReadonlyMap<number, string> | undefined;
  isLost = false;
  isHeld = false;
  readonly delivered: InboundRecord[] = [];
  private settledCount = 0;

  constructor(
    readonly partition: number,
    readonly port: PartitionPort,
    private readonly sink: RecordingSink,
  ) {}

  deliver(records: readonly InboundRecord[]): void {
    if (this.isLost) return;
    this.delivered.push(...records);
    for (const record of records)
      this.sink.delivered.push({ partition: this.partition, value: text(record), record });
    if (this.sink.settles && this.journals) this.settleAll();
  }

  async open(journals: ReadonlyMap<number, string>): Promise<void> {
    this.journals = journals;
    await this.port.saveJournal(`open:${this.sink.name}`);
    if (this.sink.settles) this.settleAll();
  }

  async handOver(timeoutMs: number): Promise<void> {
    this.isHeld = true;
    await this.sink.drain(this, timeoutMs);
    if (!this.isLost)
      await Promise.all([this.port.saveJournal(`clean:${this.sink.name}`), this.port.flush()]);
  }

  resume(): Promise<void> {
    this.isHeld = false;
    return Promise.resolve();
  }

  lost(): void {
    this.isLost = true;
  }

  /** Settles the next `count` deliveries in order. */
  settle(count: number): void {
    const records = this.delivered.slice(this.settledCount, this.settledCount + count);
    if (records.length === 0) return;
    this.settledCount += records.length;
    this.port.settled({ records, watermark: records[records.length - 1], journal: `open:${this.sink.name}` });
  }

  settleAll(): void {
    this.settle(this.delivered.length - this.settledCount);
  }
}

/** Core's side of consumption, reduced to taking notes. */
export class RecordingSink implements DeliverySink {
  readonly delivered: Delivered[] = [];
  readonly assignments: SinkPartition[] = [];
  /** What happens between "start no further handler" and the commit of a hand-over. */
  drain: (partition: SinkPartition, timeoutMs: number) => Promise<void> = () => Promise.resolve();

  constructor(
    readonly name = 'sink',
    /** Settle everything at once. */
    readonly settles = true,
  ) {}

  assign(partition: number, port: PartitionPort): AssignedPartition {
    const assigned = new SinkPartition(partition, port, this);
    this.assignments.push(assigned);
    return assigned;
  }

  /** The current ownership of a partition. */
  current(partition: number): SinkPartition {
    const found = this.assignments.findLast((each) => each.partition === partition && !each.isLost);
    if (!found) throw new Error(`Partition ${partition} is not owned by ${this.name}`);
    return found;
  }

  get owned(): number[] {
    return this.assignments
      .filter((each) => !each.isLost)
      .map(({ partition }) => partition)
      .sort((a, b) => a - b);
  }

  /** Values in the order of delivery. */
  values(partition?: number): string[] {
    return this.delivered
      .filter((each) => partition === undefined || each.partition === partition)
      .map(({ value }) => value);
  }
}

export function text({ value }: InboundRecord): string {
  return value === null ? '' : Buffer.from(value).toString('utf8');
}

/** How a group is consumed in tests. */
export function consumeSpec(
  group: string,
  changes: Partial<ConsumeSpec['group']> & { readonly handOverTimeoutMs?: number } = {},
): ConsumeSpec {
  const { handOverTimeoutMs = 2_000, ...spec } = changes;
  return {
    group: { name: group, startFrom: 'earliest', ephemeral: false, ...spec },
    consumerName: `consumer-of-${group}`,
    handOverTimeoutMs,
    maxInFlight: 1_000,
  };
}

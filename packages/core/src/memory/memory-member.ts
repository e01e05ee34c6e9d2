import { BusError } from '../errors.js';
import type {
  AssignedPartition,
  DeliverySink,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  SettledBatch,
  TransportEvents,
} from '../transport.js';
import type { MemoryGroup } from './memory-group.js';

const BATCH = 500;

/** What a member needs of the broker. */
export interface MemberHost {
  /** The broker answers: neither stopped nor paused. */
  readonly serving: boolean;
  /** Resolves once the broker answers again. */
  served(): Promise<void>;
  deadLetter(letter: OutboundRecord): Promise<void>;
  /** How many of these settlements get lost on the way. */
  losesAcks(count: number): number;
  settled(): void;
}

/** One ownership of one partition. `fenced` ends it: what still comes from it is refused. */
class Ownership implements PartitionPort {
  readonly assigned: AssignedPartition;
  fenced = false;
  private cursor: number;
  private paused = false;
  private scheduled = false;
  private opened = false;

  constructor(
    readonly partition: number,
    private readonly group: MemoryGroup,
    private readonly host: MemberHost,
    private readonly events: TransportEvents,
    sink: DeliverySink,
  ) {
    this.cursor = group.next(partition);
    this.assigned = sink.assign(partition, this);
  }

  get isOwned(): boolean {
    return !this.fenced;
  }

  async open(): Promise<void> {
    await this.assigned.open(this.group.journals);
    this.opened = true;
    this.wake();
  }

  /** Delivers what there is, in a later turn. */
  wake(): void {
    if (this.scheduled || this.paused || this.fenced || !this.opened || !this.host.serving) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  settled(batch: SettledBatch): void {
    if (this.fenced) return this.events.fenced(batch.records.length);
    const lost = this.host.losesAcks(batch.records.length);
    this.group.settle(this.partition, batch.records.slice(lost));
    this.host.settled();
  }

  async flush(): Promise<void> {
    await this.host.served();
  }

  async saveJournal(journal: string): Promise<void> {
    await this.host.served();
    if (!this.fenced) this.group.journals.set(this.partition, journal);
  }

  async deadLetter(_source: InboundRecord, letter: OutboundRecord): Promise<void> {
    if (this.fenced)
      throw new BusError('FENCED', `Partition ${this.partition} belongs to another member now`, {
        retryable: false,
      });
    await this.host.deadLetter(letter);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake();
  }

  private deliver(): void {
    if (this.paused || this.fenced || !this.host.serving) return;
    const { records, next } = this.group.read(this.partition, this.cursor, BATCH);
    if (next === this.cursor) return;
    this.cursor = next;
    this.assigned.deliver(records);
    this.wake();
  }
}

/** One consumer of a group. */
export class MemoryMember {
  /** Its lease ran out: it owns nothing and gets nothing until it is thawed. */
  frozen = false;
  private readonly owned = new Map<number, Ownership>();

  constructor(
    readonly name: string,
    private readonly group: MemoryGroup,
    private readonly sink: DeliverySink,
    private readonly events: TransportEvents,
    private readonly host: MemberHost,
    private readonly handOverTimeoutMs: number,
    /** The stream is gone, and the group with it. */
    private readonly onRemoved: () => void,
  ) {}

  get partitions(): readonly number[] {
    return [...this.owned.keys()].sort((a, b) => a - b);
  }

  wake(partition?: number): void {
    if (partition !== undefined) return this.owned.get(partition)?.wake();
    for (const ownership of this.owned.values()) ownership.wake();
  }

  async acquire(partition: number): Promise<void> {
    const ownership = new Ownership(partition, this.group, this.host, this.events, this.sink);
    this.owned.set(partition, ownership);
    await ownership.open();
  }

  /** Gives partitions up after the running handlers have finished. */
  async handOver(partitions: readonly number[], timeoutMs: number = this.handOverTimeoutMs): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        await this.owned.get(partition)?.assigned.handOver(timeoutMs);
        this.drop(partition);
      }),
    );
  }

  /** Takes everything away at once, without a word to the journal: what a crash looks like to the others. */
  dropAll(): void {
    for (const partition of this.partitions) this.drop(partition);
  }

  /** As `dropAll`, because there is nothing left to own. */
  removed(): void {
    this.dropAll();
    this.onRemoved();
  }

  /** The broker no longer listens to this member, who does not know yet. */
  fence(): void {
    for (const ownership of this.owned.values()) ownership.fenced = true;
  }

  rebalanced(): void {
    this.events.rebalanced(this.group.name, this.partitions);
  }

  private drop(partition: number): void {
    const ownership = this.owned.get(partition);
    if (!ownership) return;
    this.owned.delete(partition);
    ownership.fenced = true;
    ownership.assigned.lost();
  }
}

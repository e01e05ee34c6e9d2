import type {
  AssignedPartition,
  BusError,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  SettledBatch,
} from '@omnibus/core/transport';
import type { Channel, Message } from 'amqplib';
import { Acks } from './acks.js';
import { type DeliveredRecord, recordOf } from './message.js';

/** What an owned partition asks of the consumer. */
export interface PartitionHost {
  /** False when the broker may have given the partitions of this process to others. Stays so until they are lost. */
  isInTouch(): boolean;
  saveJournal(partition: number, journal: string): Promise<void>;
  writeDeadLetter(letter: OutboundRecord): Promise<void>;
  fenced(count: number): void;
}

/** How long acknowledgements wait for each other: a quorum queue replicates each as an entry of its log. */
const ACK_DELAY_MS = 5;
/** When this much of the prefetch window is settled, none waits: the broker must never stand still for want of them. */
const ACK_AT_ONCE_SHARE = 0.25;

/**
 * A partition in the hands of this process, for as long as the channel lives that it was delivered on: once that is
 * closed, nothing can be acknowledged any more and somebody else may have it.
 */
export class OwnedPartition implements PartitionPort {
  private engine: AssignedPartition | undefined;
  private lostBecause: BusError | undefined;
  private readonly acks = new Acks();
  private arrived: DeliveredRecord[] = [];
  /** Still to be acknowledged. */
  private settledTags: number[] = [];
  private ackTimer: NodeJS.Timeout | undefined;
  /** Core knows what the former owner wrote down: how often it tried what is delivered now. */
  private isOpen = false;

  constructor(
    readonly partition: number,
    private readonly channel: Channel,
    private readonly prefetch: number,
    private readonly host: PartitionHost,
  ) {}

  get isLost(): boolean {
    return this.lostBecause !== undefined;
  }

  /** Delivered and not acknowledged. */
  get held(): number {
    return this.isLost ? 0 : this.acks.open;
  }

  /** Core's side. Set once, before anything is delivered. */
  attach(engine: AssignedPartition): void {
    this.engine = engine;
  }

  open(journals: ReadonlyMap<number, string>): Promise<void> {
    const opening = this.engine?.open(journals) ?? Promise.resolve();
    this.isOpen = true;
    this.handOn();
    return opening;
  }

  /** What comes with one read of the socket is handed on together. */
  deliver(message: Message): void {
    if (this.lostBecause) return;
    const record = recordOf(message);
    this.acks.deliveredUpTo(record.deliveryTag);
    this.arrived.push(record);
    if (this.isOpen && this.arrived.length === 1) queueMicrotask(() => this.handOn());
  }

  async handOver(timeoutMs: number): Promise<void> {
    await this.engine?.handOver(timeoutMs);
  }

  /** Sends what is settled. */
  acknowledge(): void {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (this.lostBecause || this.settledTags.length === 0) return;
    const tags = this.settledTags;
    this.settledTags = [];
    for (const { deliveryTag, upTo } of this.acks.settle(tags)) this.ack(deliveryTag, upTo);
  }

  /** Ends the ownership. */
  lose(cause: BusError): void {
    if (this.lostBecause) return;
    this.lostBecause = cause;
    clearTimeout(this.ackTimer);
    if (this.settledTags.length > 0) this.host.fenced(this.settledTags.length);
    this.engine?.lost();
  }

  // What core calls.

  get isOwned(): boolean {
    return !this.lostBecause && this.host.isInTouch();
  }

  settled({ records }: SettledBatch): void {
    if (this.lostBecause) {
      this.host.fenced(records.length);
      return;
    }
    // They are the records that were delivered, given back.
    for (const { deliveryTag } of records as readonly DeliveredRecord[]) this.settledTags.push(deliveryTag);
    if (this.settledTags.length >= this.prefetch * ACK_AT_ONCE_SHARE) this.acknowledge();
    else this.ackTimer ??= setTimeout(() => this.acknowledge(), ACK_DELAY_MS);
  }

  /** The broker works through a channel in order: its answer to anything comes after the acknowledgements before it. */
  async flush(): Promise<void> {
    if (this.lostBecause) throw this.lostBecause;
    this.acknowledge();
    await this.channel.prefetch(this.prefetch);
  }

  saveJournal(journal: string): Promise<void> {
    return this.lostBecause
      ? Promise.reject(this.lostBecause)
      : this.host.saveJournal(this.partition, journal);
  }

  deadLetter(_source: InboundRecord, letter: OutboundRecord): Promise<void> {
    return this.lostBecause ? Promise.reject(this.lostBecause) : this.host.writeDeadLetter(letter);
  }

  /** The prefetch window bounds what comes: it is as wide as what is not acknowledged. */
  pause(): void {}

  resume(): void {}

  private handOn(): void {
    const records = this.arrived;
    this.arrived = [];
    if (!this.lostBecause && records.length > 0) this.engine?.deliver(records);
  }

  private ack(deliveryTag: number, upTo: boolean): void {
    try {
      this.channel.ack({ fields: { deliveryTag } } as Message, upTo);
    } catch {
      // The channel has just been closed, which is about to be told.
      this.host.fenced(1);
    }
  }
}

import {
  type AssignedPartition,
  type BusError,
  Durability,
  type InboundRecord,
  type OutboundRecord,
  type PartitionPort,
  type SettledBatch,
} from '@omnibus/core/transport';
import type { Lease } from './lease.js';

/** What an owned partition asks of the consumer. */
export interface PartitionHost {
  /** Something waits to be stored, among it new `settlements`; `soon`: somebody waits for it. */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void;
  /** It may be read again. */
  resumed(partition: OwnedPartition): void;
  writeDeadLetter(partition: OwnedPartition, source: InboundRecord, letter: OutboundRecord): Promise<void>;
  fenced(count: number): void;
}

/** What is to be stored now. */
export interface Unstored {
  readonly positions: readonly string[];
  /** Empty when the server has it already. */
  readonly journal: string;
  readonly version: number;
}

/** New entries, in the language of Redis. */
const NEW = '>';

/**
 * A partition in the hands of this process: from where it is read, what is settled, what of that is durable. One object
 * per ownership.
 */
export class OwnedPartition implements PartitionPort {
  paused = false;
  /** What the reader asks for: first what former owners left pending, then what is new. */
  readFrom = '0-0';
  /** The last position that the group was given, as far as we know. */
  lastDelivered: string | undefined;
  /** Everything up to here is settled; undefined as long as nothing is known. */
  watermark: string | undefined;
  private engine: AssignedPartition | undefined;
  private hasDelivered = false;
  private lostBecause: BusError | undefined;
  private readonly durability = new Durability();
  private settledPositions: string[] = [];
  private journal: { readonly journal: string };

  constructor(
    readonly lease: Lease,
    /** As it is stored. */
    private storedJournal: string,
    private readonly host: PartitionHost,
  ) {
    this.journal = { journal: storedJournal };
  }

  get partition(): number {
    return this.lease.partition;
  }

  get isLost(): boolean {
    return this.lostBecause !== undefined;
  }

  get isOwned(): boolean {
    return this.lease.isHeld;
  }

  /** It may be read: it is ours, and there is room for more. */
  get isReadable(): boolean {
    return !this.paused && !this.isLost && this.lease.isHeld;
  }

  get readsPending(): boolean {
    return this.readFrom !== NEW;
  }

  /** It is known behind what new entries begin, or not needed yet. */
  get isLocated(): boolean {
    return this.readsPending || this.lastDelivered !== undefined;
  }

  /** What is read next is known before what is under way was delivered. */
  get canReadAhead(): boolean {
    return !this.readsPending && this.isLocated && !this.lease.isDoubted;
  }

  /** Core's side. Set once, before anything is delivered. */
  attach(engine: AssignedPartition): void {
    this.engine = engine;
  }

  open(journals: ReadonlyMap<number, string>): Promise<void> {
    return this.engine?.open(journals) ?? Promise.resolve();
  }

  /** `last`: position of the last entry read, of which `records` may have left out those that were deleted. */
  deliver(records: readonly InboundRecord[], last: string): void {
    // The answer may be older than the lease: then somebody else was given these records as well.
    if (!this.lease.isHeld) return;
    if (this.readsPending) this.readFrom = last;
    this.lastDelivered = last;
    this.hasDelivered = true;
    this.engine?.deliver(records);
  }

  /** An answer was lost: what it brought is pending, and comes before what is new. */
  readLost(): void {
    this.lease.doubt();
    if (!this.readsPending) this.readFrom = this.lastDelivered ?? '0-0';
  }

  /** Nothing was there. */
  readDry(): void {
    if (this.readsPending) this.readFrom = NEW;
  }

  /** Where the group stands, while nothing is under way that would move it. */
  standsAt(position: string | undefined): void {
    this.lastDelivered = position ?? this.lastDelivered;
    if (!this.hasDelivered) this.watermark = this.lastDelivered;
  }

  /** Entries that can never be delivered: they leave the group's list. */
  forget(positions: readonly string[]): void {
    this.settledPositions.push(...positions);
    this.durability.changed();
    this.host.changed(this, false, positions.length);
  }

  async handOver(timeoutMs: number): Promise<void> {
    await this.engine?.handOver(timeoutMs);
  }

  /** Ends the ownership. Returns how many settlements had not become durable. */
  lose(cause: BusError): number {
    if (this.lostBecause) return 0;
    this.lostBecause = cause;
    this.durability.fail(cause);
    this.engine?.lost();
    return this.settledPositions.length;
  }

  // What core calls.

  settled(batch: SettledBatch): void {
    if (this.lostBecause) {
      this.host.fenced(batch.records.length);
      return;
    }
    for (const { position } of batch.records) this.settledPositions.push(position);
    this.watermark = batch.watermark?.position ?? this.watermark;
    this.journal = batch;
    this.durability.changed();
    this.host.changed(this, false, batch.records.length);
  }

  flush(): Promise<void> {
    if (this.lostBecause) return Promise.reject(this.lostBecause);
    return this.durability.isReached ? Promise.resolve() : this.durable();
  }

  saveJournal(journal: string): Promise<void> {
    if (this.lostBecause) return Promise.reject(this.lostBecause);
    this.journal = { journal };
    this.durability.changed();
    return this.durable();
  }

  deadLetter(source: InboundRecord, letter: OutboundRecord): Promise<void> {
    return this.lostBecause
      ? Promise.reject(this.lostBecause)
      : this.host.writeDeadLetter(this, source, letter);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.host.resumed(this);
  }

  // What settlements call.

  /** What is to be stored now. */
  unstored(): Unstored {
    const { journal } = this.journal;
    return {
      positions: this.settledPositions.slice(),
      journal: journal === this.storedJournal ? '' : journal,
      version: this.durability.version,
    };
  }

  stored({ positions, journal, version }: Unstored): void {
    this.settledPositions.splice(0, positions.length);
    if (journal !== '') this.storedJournal = journal;
    this.durability.reached(version);
  }

  /** It cannot be stored, and trying again would not help. */
  storeFailed(error: BusError): void {
    this.durability.fail(error);
  }

  private durable(): Promise<void> {
    this.host.changed(this, true, 0);
    return this.durability.wait();
  }
}

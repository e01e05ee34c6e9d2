import {
  type AssignedPartition,
  BusError,
  Durability,
  type InboundRecord,
  type OutboundRecord,
  type PartitionPort,
  type SettledBatch,
} from '@omnibus/core/transport';
import { offsetAfter } from './offsets.js';

/** What an owned partition asks of the consumer. */
export interface PartitionHost {
  /** False as soon as others may own what is ours. */
  isInSession(): boolean;
  /** Something waits to be committed, among it new `settlements`; `soon`: somebody waits for it. */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void;
  /** It may be fetched from again. */
  resumed(partition: OwnedPartition): void;
  writeDeadLetter(letter: OutboundRecord): Promise<void>;
  fenced(count: number): void;
}

/** Characters of metadata that a broker stores with a commit unless it is configured otherwise. */
const MAX_JOURNAL_CHARACTERS = 4_096;

/**
 * A partition in the hands of this process: where it is fetched from, what is settled, what of that is durable. One
 * object per ownership.
 */
export class OwnedPartition implements PartitionPort {
  paused = false;
  pausedAtMs = 0;
  /** The position is being looked up: nothing is fetched meanwhile. */
  seeking = false;
  /** Fetches that failed since the last that gave something. */
  fetchFailures = 0;
  /** The topic that `fetchOffset` is an offset of, where the broker gives topics an id. */
  topicId: string | undefined;
  private restarting = false;
  /** The watermark in the topic as it was before a restart: says nothing about the one that is read now. */
  private staleWatermark: InboundRecord | undefined;
  private engine: AssignedPartition | undefined;
  private lostBecause: BusError | undefined;
  private lastDelivered: string | undefined;
  private latest: SettledBatch | undefined;
  private journal: { readonly journal: string };
  private readonly durability = new Durability();
  private undurable = 0;

  /** `start`: first offset to fetch. `journal`: as it is stored. */
  constructor(
    readonly partition: number,
    private start: string,
    journal: string,
    private readonly host: PartitionHost,
  ) {
    this.journal = { journal };
    this.fetchOffset = start;
  }

  /** The next offset to fetch. */
  fetchOffset: string;

  /** Whether it may be fetched from now. */
  get isDue(): boolean {
    return !this.paused && !this.seeking && !this.restarting;
  }

  get isLost(): boolean {
    return this.lostBecause !== undefined;
  }

  get isOwned(): boolean {
    return !this.isLost && this.host.isInSession();
  }

  /** Core's side. Set once, before anything is delivered. */
  attach(engine: AssignedPartition): void {
    this.engine = engine;
  }

  open(journals: ReadonlyMap<number, string>): Promise<void> {
    return this.engine?.open(journals) ?? Promise.resolve();
  }

  /** `next`: the offset behind what was fetched, which records that are not handed out may have moved further. */
  deliver(records: readonly InboundRecord[], next: string): void {
    this.fetchOffset = next;
    this.fetchFailures = 0;
    const last = records[records.length - 1];
    if (last) {
      this.lastDelivered = last.position;
      this.engine?.deliver(records);
    } else if (this.isIdle) {
      // Only markers of transactions lay there. They count as done, or the group would seem to lag for ever.
      this.durability.changed();
      this.host.changed(this, false, 0);
    }
  }

  /**
   * Goes on at another offset. When that lies behind, the topic is another one than before: what is in hand is handled
   * first, and until then it counts for nothing there, or a crash would make the next owner skip as many.
   */
  moveTo(offset: string): void {
    const isBehind = BigInt(offset) < BigInt(this.fetchOffset);
    this.fetchOffset = offset;
    if (!isBehind) return;
    this.start = offset;
    this.restarting = true;
    this.durability.changed();
    this.host.changed(this, false, 0);
    this.restartWhenIdle();
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
    return this.undurable;
  }

  // What core calls.

  settled(batch: SettledBatch): void {
    if (this.lostBecause) {
      this.host.fenced(batch.records.length);
      return;
    }
    this.latest = batch;
    this.journal = batch;
    this.undurable += batch.records.length;
    this.durability.changed();
    this.host.changed(this, false, batch.records.length);
    this.restartWhenIdle();
  }

  flush(): Promise<void> {
    if (this.lostBecause) return Promise.reject(this.lostBecause);
    return this.durability.isReached ? Promise.resolve() : this.durable();
  }

  saveJournal(journal: string): Promise<void> {
    if (this.lostBecause) return Promise.reject(this.lostBecause);
    if (journal.length > MAX_JOURNAL_CHARACTERS) {
      return Promise.reject(
        new BusError(
          'PAYLOAD_TOO_LARGE',
          `A journal may have ${MAX_JOURNAL_CHARACTERS} characters, this one has ${journal.length}`,
        ),
      );
    }
    this.journal = { journal };
    this.durability.changed();
    return this.durable();
  }

  deadLetter(_source: InboundRecord, letter: OutboundRecord): Promise<void> {
    return this.lostBecause ? Promise.reject(this.lostBecause) : this.host.writeDeadLetter(letter);
  }

  pause(): void {
    this.paused = true;
    this.pausedAtMs = Date.now();
  }

  resume(): void {
    this.paused = false;
    this.host.resumed(this);
  }

  // What the committer calls.

  /** What is to be committed now. */
  snapshot(): {
    readonly offset: string;
    readonly metadata: string;
    readonly version: number;
    readonly settlements: number;
  } {
    return {
      offset: this.nextToHandle(),
      metadata: this.journal.journal,
      version: this.durability.version,
      settlements: this.undurable,
    };
  }

  committed(version: number, settlements: number): void {
    this.durability.reached(version);
    this.undurable -= settlements;
  }

  /** It cannot be committed, and trying again would not help. */
  commitFailed(error: BusError): void {
    this.durability.fail(error);
  }

  private restartWhenIdle(): void {
    if (!this.restarting || !this.isIdle) return;
    this.restarting = false;
    this.staleWatermark = this.latest?.watermark;
    this.lastDelivered = undefined;
    this.host.resumed(this);
  }

  private get watermark(): InboundRecord | undefined {
    const watermark = this.latest?.watermark;
    return watermark === this.staleWatermark ? undefined : watermark;
  }

  /** Everything that was delivered is settled. */
  private get isIdle(): boolean {
    return this.lastDelivered === undefined || this.watermark?.position === this.lastDelivered;
  }

  private nextToHandle(): string {
    if (this.restarting) return this.start;
    if (this.isIdle) return this.fetchOffset;
    return this.watermark ? offsetAfter(this.watermark.position) : this.start;
  }

  private durable(): Promise<void> {
    this.host.changed(this, true, 0);
    return this.durability.wait();
  }
}

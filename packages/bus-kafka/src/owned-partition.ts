import {
  type AssignedPartition,
  BusError,
  type InboundRecord,
  type OutboundRecord,
  type PartitionPort,
  type SettledBatch,
} from '@omnibus/core/transport';
import { offsetAfter } from './offsets.js';

/** What an owned partition asks of the consumer. */
export interface PartitionHost {
  /** Something waits to be committed, among it new `settlements`; `soon`: somebody waits for it. */
  changed(partition: OwnedPartition, soon: boolean, settlements: number): void;
  /** It may be fetched from again. */
  resumed(partition: OwnedPartition): void;
  writeDeadLetter(letter: OutboundRecord): Promise<void>;
  fenced(count: number): void;
}

interface Waiter {
  readonly version: number;
  resolve(): void;
  reject(error: BusError): void;
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
  private engine: AssignedPartition | undefined;
  private lostBecause: BusError | undefined;
  private lastDelivered: string | undefined;
  private latest: SettledBatch | undefined;
  private journal: { readonly journal: string };
  private version = 0;
  private durableVersion = 0;
  private undurable = 0;
  private waiters: Waiter[] = [];

  /** `start`: first offset to fetch. `journal`: as it is stored. */
  constructor(
    readonly partition: number,
    private readonly start: string,
    journal: string,
    private readonly host: PartitionHost,
  ) {
    this.journal = { journal };
    this.fetchOffset = start;
  }

  /** The next offset to fetch. */
  fetchOffset: string;

  get isLost(): boolean {
    return this.lostBecause !== undefined;
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
      this.version += 1;
      this.host.changed(this, false, 0);
    }
  }

  async handOver(timeoutMs: number): Promise<void> {
    await this.engine?.handOver(timeoutMs);
  }

  /** Ends the ownership. Returns how many settlements had not become durable. */
  lose(cause: BusError): number {
    if (this.lostBecause) return 0;
    this.lostBecause = cause;
    for (const waiter of this.waiters.splice(0)) waiter.reject(cause);
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
    this.version += 1;
    this.host.changed(this, false, batch.records.length);
  }

  flush(): Promise<void> {
    if (this.lostBecause) return Promise.reject(this.lostBecause);
    if (this.durableVersion === this.version) return Promise.resolve();
    return this.durable();
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
    this.version += 1;
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
      version: this.version,
      settlements: this.undurable,
    };
  }

  committed(version: number, settlements: number): void {
    this.durableVersion = Math.max(this.durableVersion, version);
    this.undurable -= settlements;
    const waiting = this.waiters;
    this.waiters = [];
    for (const waiter of waiting) {
      if (waiter.version <= version) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }

  /** It cannot be committed, and trying again would not help. */
  commitFailed(error: BusError): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }

  /** Everything that was delivered is settled. */
  private get isIdle(): boolean {
    return this.lastDelivered === undefined || this.latest?.watermark?.position === this.lastDelivered;
  }

  private nextToHandle(): string {
    const watermark = this.latest?.watermark;
    if (this.isIdle) return this.fetchOffset;
    return watermark ? offsetAfter(watermark.position) : this.start;
  }

  private durable(): Promise<void> {
    const { version } = this;
    this.host.changed(this, true, 0);
    return new Promise((resolve, reject) => this.waiters.push({ version, resolve, reject }));
  }
}

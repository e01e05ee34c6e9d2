import { Delivery, KeyLane, type LaneOwner } from './delivery.js';
import { Fifo } from './fifo.js';
import { parseJournal, takeOver } from './journal.js';
import { JournalKeeper } from './journal-keeper.js';
import type { AssignedPartition, InboundRecord, PartitionPort } from './transport.js';
import { type RunCounts, UnheardRuns } from './unheard-runs.js';

/** What a partition needs of the engine. */
export interface LaneHost {
  readonly opener: string;
  readonly maxAttempts: number;
  readonly maxInFlight: number;
  /** What ran here, unheard, in former ownerships of each partition. */
  readonly formerRuns: Map<number, RunCounts>;
  now(): number;
  /** As how many events a record counts: memory is bounded in events of the size that is allowed. */
  weightOf(record: InboundRecord): number;
  /** A lane's head may run. */
  ready(lane: KeyLane): void;
  /** Starts what may start. */
  pump(): void;
  /** Records wait in the inbox: admit them as credit allows. */
  offered(lane: PartitionLane): void;
  /** Something settled: tell the port at the end of this turn. */
  dirty(lane: PartitionLane): void;
  /** Events of this partition must run alone, because one of them may have killed the former owner. */
  suspected(lane: PartitionLane): void;
  /** This partition stands still until it is lost. */
  halted(lane: PartitionLane): void;
  /** Gives up these unsettled deliveries: the partition is lost. */
  abandoned(lane: PartitionLane, deliveries: readonly Delivery[]): void;
  delay(ms: number): Promise<void>;
  problem(error: unknown, doing: string): void;
}

const FLUSH_RETRY_MS = 100;
/**
 * How far handling may run ahead of the durable watermark in one partition, in multiples of `maxInFlight`. It bounds
 * memory and what a crash repeats behind an event that is not settled, and how many suspects it leaves.
 */
const WHOLE_SPAN = 3;

type LaneState = 'opening' | 'active' | 'held' | 'halted' | 'lost';

/**
 * A partition that this process owns: its inbox, the key lanes, what is settled up to where, and its journal. One
 * object per ownership, so that "lost" is one flag and a late result of a former ownership touches nothing.
 */
export class PartitionLane implements AssignedPartition, LaneOwner {
  readonly journal: JournalKeeper;
  /** Handlers and dead-letter writes of this partition that are under way. */
  busy = 0;
  /** Admitted and not settled. */
  unsettled = 0;
  /** What large ones among them count for more than one. */
  excess = 0;
  private state: LaneState = 'opening';
  /** Counts openings and hand-overs: what one of them still wants to do after another began is void. */
  private phase = 0;
  private journalLoaded = false;
  private openedAtMs = 0;
  private readonly keys = new Map<string, KeyLane>();
  /** Unsettled and settled deliveries from the watermark on, in the order of the partition. */
  private readonly order = new Fifo<Delivery>();
  private readonly inbox = new Fifo<readonly InboundRecord[]>();
  private inboxOffset = 0;
  private inboxWeight = 0;
  private parked: KeyLane[] = [];
  private settledRecords: InboundRecord[] = [];
  private watermark: InboundRecord | undefined;
  private readonly unheard: UnheardRuns;
  private flushing = false;
  private idleWaiters: (() => void)[] = [];
  private portPaused = false;

  constructor(
    readonly partition: number,
    readonly port: PartitionPort,
    private readonly host: LaneHost,
  ) {
    this.journal = new JournalKeeper((journal) => port.saveJournal(journal), host.maxAttempts);
    this.unheard = new UnheardRuns(host.maxInFlight * WHOLE_SPAN);
  }

  get startable(): boolean {
    return this.state === 'active' && this.port.isOwned;
  }

  get isGone(): boolean {
    return this.state === 'lost' || !this.port.isOwned;
  }

  get isLost(): boolean {
    return this.state === 'lost';
  }

  /** Records fetched and not yet admitted, large ones counted as often as they are larger than an event may be. */
  get waiting(): number {
    return this.inboxWeight;
  }

  /** Suspects of a crash are still to be handled here. */
  get serial(): boolean {
    return this.journal.serial && this.order.length > 0 && this.state !== 'halted';
  }

  /** Settled, and not known to be durable. */
  get undurable(): number {
    return this.unheard.undurable + this.settledRecords.length;
  }

  get oldestUnsettled(): Delivery | undefined {
    return this.order.peek();
  }

  deliver(records: readonly InboundRecord[]): void {
    if (this.state === 'lost' || this.state === 'halted' || records.length === 0) return;
    this.inbox.push(records);
    for (const record of records) this.inboxWeight += this.host.weightOf(record);
    this.host.offered(this);
  }

  async open(journals: ReadonlyMap<number, string>): Promise<void> {
    if (this.state !== 'opening') return;
    const documents = new Map(
      [...journals].map(([partition, text]) => [partition, parseJournal(text)] as const),
    );
    const { opener, maxAttempts, maxInFlight } = this.host;
    const suspectWindow = maxInFlight * WHOLE_SPAN;
    // Only where nobody else owned the partition meanwhile: its events would have gone on without us.
    if (documents.get(this.partition)?.opener === opener)
      this.unheard.recall(this.host.formerRuns.get(this.partition));
    this.host.formerRuns.delete(this.partition);
    this.journal.load(takeOver(documents, { partition: this.partition, opener, maxAttempts, suspectWindow }));
    this.journalLoaded = true;
    this.openedAtMs = this.host.now();
    await this.activateOnceSaved();
  }

  async handOver(timeoutMs: number): Promise<void> {
    // Before it is opened nothing was done here, and the journal is the former owner's.
    if (this.state === 'lost' || !this.journalLoaded) return;
    this.phase += 1;
    if (this.state !== 'halted') this.state = 'held';
    if (this.busy > 0)
      await Promise.race([
        new Promise<void>((resolve) => this.idleWaiters.push(resolve)),
        this.host.delay(timeoutMs),
      ]);
    if (this.isLost) return;
    this.journal.close();
    this.tellSettled();
    try {
      await Promise.all([this.journal.save(), this.port.flush()]);
    } catch (error) {
      this.host.problem(error, `hand over partition ${this.partition}`);
    }
  }

  async resume(): Promise<void> {
    if (this.state !== 'held') return;
    this.journal.open(this.host.opener);
    await this.activateOnceSaved();
  }

  lost(): void {
    if (this.state === 'lost') return;
    this.state = 'lost';
    // What finished in this turn is told all the same: the port counts it as too late.
    this.tellPort();
    const open = this.order.clear().filter((delivery) => !delivery.settled);
    const running = open.filter((delivery) => delivery.running).map(({ record }) => record.position);
    this.host.formerRuns.set(this.partition, this.unheard.left(running));
    this.clearInbox();
    this.keys.clear();
    this.parked = [];
    this.unsettled = 0;
    this.excess = 0;
    this.host.abandoned(this, open);
    this.wakeIdle();
  }

  /** No dead letter can be written and none may be dropped: stand still rather than lose. */
  halt(): void {
    if (this.state === 'lost' || this.state === 'halted') return;
    this.state = 'halted';
    this.clearInbox();
    this.pausePort();
    this.host.halted(this);
  }

  park(lane: KeyLane): void {
    this.parked.push(lane);
  }

  pausePort(): void {
    if (this.portPaused || this.state === 'lost') return;
    this.portPaused = true;
    this.port.pause();
  }

  resumePort(): void {
    if (!this.portPaused || this.state === 'lost' || this.state === 'halted') return;
    this.portPaused = false;
    this.port.resume();
  }

  /** Moves up to `credit` records from the inbox into the lanes. Returns how many. */
  admit(credit: number): number {
    // Until the partition is open, the journal with the attempts of former lives is not known.
    if (this.state !== 'active') return 0;
    const { maxInFlight } = this.host;
    const ahead = this.unheard.undurable + this.order.length;
    const nowMs = this.host.now();
    let room = Math.min(credit, maxInFlight * WHOLE_SPAN - ahead);
    let admitted = 0;
    for (let record = this.nextWaiting(); record && room > 0; record = this.nextWaiting()) {
      const weight = this.host.weightOf(record);
      this.inboxOffset += 1;
      this.inboxWeight -= weight;
      this.excess += weight - 1;
      room -= weight;
      admitted += 1;
      this.admitOne(record, nowMs);
    }
    return admitted;
  }

  private nextWaiting(): InboundRecord | undefined {
    const batch = this.inbox.peek();
    if (!batch || this.inboxOffset < batch.length) return batch?.[this.inboxOffset];
    this.inbox.shift();
    this.inboxOffset = 0;
    return this.inbox.peek()?.[0];
  }

  /** The head of a lane is done for good: the next of its key may run, and the watermark may move. */
  settle(delivery: Delivery): void {
    delivery.settled = true;
    this.unsettled -= 1;
    this.excess -= this.host.weightOf(delivery.record) - 1;
    delivery.abort = undefined;
    this.settledRecords.push(delivery.record);
    this.journal.forget(delivery.record.position);
    if (delivery.lane.advance()) this.host.ready(delivery.lane);
    else this.keys.delete(delivery.lane.key);
    this.host.dirty(this);
  }

  /** Work of this partition ended (a handler, a dead-letter write). */
  workEnded(): void {
    this.busy -= 1;
    if (this.busy === 0) this.wakeIdle();
  }

  /** Tells the port what settled since the last call. */
  tellSettled(): void {
    if (this.state !== 'lost') this.tellPort();
  }

  private tellPort(): void {
    if (this.settledRecords.length === 0) return;
    const records = this.settledRecords;
    this.settledRecords = [];
    this.moveWatermark();
    this.unheard.told(records);
    const journal = this.journal;
    this.port.settled({
      records,
      watermark: this.watermark,
      get journal() {
        return journal.text();
      },
    });
  }

  /** Makes durable what settled, one flush at a time, and then lets more in. */
  flushInBackground(): void {
    if (this.flushing || this.unheard.undurable === 0 || this.isLost) return;
    this.flushing = true;
    void this.flushBehind().finally(() => {
      this.flushing = false;
      if (!this.isLost) this.host.offered(this);
    });
  }

  private async activateOnceSaved(): Promise<void> {
    this.phase += 1;
    const { phase } = this;
    await this.journal.save();
    if (phase === this.phase && !this.isLost) this.activate();
  }

  private activate(): void {
    this.state = 'active';
    if (this.journal.serial) this.host.suspected(this);
    const parked = this.parked;
    this.parked = [];
    for (const lane of parked) this.host.ready(lane);
    this.host.offered(this);
    this.host.pump();
  }

  private admitOne(record: InboundRecord, nowMs: number): void {
    const key = record.key ?? '';
    let lane = this.keys.get(key);
    if (!lane) {
      lane = new KeyLane(key, this);
      this.keys.set(key, lane);
    }
    const used = this.journal.attemptsOf(record.position);
    const attemptsMade = used.failures + used.deaths;
    const unheardRuns = this.unheard.seen(record.position);
    const delivery = new Delivery(
      record,
      lane,
      nowMs,
      record.redelivered || attemptsMade + unheardRuns > 0 || this.journal.suspicious,
    );
    delivery.attemptsMade = attemptsMade;
    delivery.unheardRuns = unheardRuns;
    this.order.push(delivery);
    this.unsettled += 1;
    if (lane.append(delivery)) this.host.ready(lane);
  }

  private moveWatermark(): void {
    let moved = 0;
    let pastSuspects = false;
    for (let head = this.order.peek(); head?.settled; head = this.order.peek()) {
      this.order.shift();
      this.watermark = head.record;
      moved += 1;
      pastSuspects ||= this.isYounger(head.record);
    }
    this.journal.advance(moved, pastSuspects);
  }

  /** Written after this ownership began. Publishers may choose the time: one that lies ahead of us says nothing. */
  private isYounger({ timestampMs = 0 }: InboundRecord): boolean {
    return timestampMs > this.openedAtMs && timestampMs <= this.host.now();
  }

  private async flushBehind(): Promise<void> {
    const covered = this.unheard.undurable;
    try {
      await this.port.flush();
      this.unheard.heard(covered);
    } catch (error) {
      this.host.problem(error, `make settlements of partition ${this.partition} durable`);
      await this.host.delay(FLUSH_RETRY_MS);
    }
  }

  private clearInbox(): void {
    this.inbox.clear();
    this.inboxOffset = 0;
    this.inboxWeight = 0;
  }

  private wakeIdle(): void {
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }
}

import { BusError } from '../../src/errors.js';
import type {
  AssignedPartition,
  DeliverySink,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  SettledBatch,
  TransportEvents,
} from '../../src/transport.js';
import type { Owner, Slot } from './broker.js';
import { OwnershipHistory } from './ownership-history.js';
import type { Surroundings } from './surroundings.js';
import type { Life } from './time.js';
import type { Wire } from './wire.js';

const COMMIT_AGAIN_MS = 15;

/** The process that has it. */
export interface Holder {
  readonly world: Surroundings;
  readonly coordinator: { journals(): ReadonlyMap<number, string> };
  readonly life: Life;
  readonly wire: Wire;
  readonly sink: DeliverySink;
  readonly events: TransportEvents;
  drop(ownership: Ownership): void;
  move(ownership: Ownership, keeps: boolean): void;
}

/** One ownership of one partition of a group: the adapter's side of it. */
export class Ownership implements PartitionPort, Owner {
  readonly assigned: AssignedPartition;
  readonly history: OwnershipHistory;
  /** Its process was told that it is over. */
  isDropped = false;
  /** It is being handed over. */
  isMoving = false;
  private cursor: number;
  private isPaused = false;
  private isFetching = false;
  private mayDeliver: boolean;
  private untold: number[] = [];
  private next = 0;
  private journal: string | undefined;
  private commitAt: (() => void) | undefined;

  constructor(
    readonly slot: Slot,
    private readonly member: Holder,
  ) {
    this.cursor = slot.next;
    this.next = slot.next;
    this.history = new OwnershipHistory(member.world.model, this);
    // Some brokers deliver while the journals are still being read.
    this.mayDeliver = member.world.random.oneIn(3);
    this.assigned = member.sink.assign(slot.partition, this);
  }

  get group(): string {
    return this.slot.group;
  }

  get partition(): number {
    return this.slot.partition;
  }

  get life(): Life {
    return this.member.life;
  }

  get processName(): string {
    return this.member.world.nameOf(this.life);
  }

  get isOwned(): boolean {
    return this.slot.owner === this;
  }

  async open(): Promise<void> {
    const { wire, coordinator } = this.member;
    const journals = await wire.request(() => coordinator.journals());
    if (this.isDropped) return;
    this.history.opening();
    await this.assigned.open(journals);
    this.mayDeliver = true;
    this.wake();
  }

  seized(): void {
    this.history.seized();
  }

  drop(): void {
    this.member.drop(this);
  }

  move(keeps: boolean): void {
    this.member.move(this, keeps);
  }

  /** Delivers what there is, some time later. */
  wake(): void {
    const { life, world } = this.member;
    const { time, random } = world;
    if (this.isFetching || this.isPaused || this.isDropped || !this.mayDeliver) return;
    if (this.slot.read(this.cursor, 1).records.length === 0) return;
    this.isFetching = true;
    time.after(
      random.upTo(world.latencyMs),
      () => {
        this.isFetching = false;
        this.fetch();
      },
      life,
    );
  }

  settled({ records, watermark, journal }: SettledBatch): void {
    if (this.member.life.ended) return;
    this.history.told(records, watermark);
    if (!this.isOwned) return this.member.events.fenced(records.length);
    this.keep(journal);
    if (this.member.world.commits === 'each') this.untold.push(...records.map(positionOf));
    else if (watermark) this.next = positionOf(watermark) + 1;
    this.commitSoon(this.member.world.random.upTo(this.member.world.latencyMs));
  }

  flush(): Promise<void> {
    return this.commit();
  }

  async saveJournal(journal: string): Promise<void> {
    this.keep(journal);
    try {
      await this.commit();
    } catch (error) {
      this.history.notNoted();
      throw error;
    }
  }

  async deadLetter(source: InboundRecord, letter: OutboundRecord): Promise<void> {
    if (!this.isOwned) throw new BusError('FENCED', 'The partition belongs to another', { retryable: false });
    const giving = this.history.givingUp(source, letter);
    await this.member.wire.request(() => giving.written());
    if (!this.member.life.ended) giving.confirmed();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.wake();
  }

  private keep(journal: string): void {
    this.journal = journal;
    this.history.noting(journal);
  }

  private fetch(): void {
    const { member, slot } = this;
    if (this.isPaused || this.isDropped || !this.isOwned) return;
    if (member.wire.isOffline) {
      member.world.time.after(COMMIT_AGAIN_MS, () => this.wake(), member.life);
      return;
    }
    const { records, next } = slot.read(
      this.cursor,
      1 + member.world.random.upTo(member.world.fetchSize - 1),
    );
    this.cursor = next;
    if (records.length === 0) return;
    this.history.delivered(records);
    this.assigned.deliver(records);
    this.wake();
  }

  private commitSoon(delayMs: number): void {
    const { life, world } = this.member;
    const { time } = world;
    this.commitAt ??= time.after(
      delayMs,
      () => {
        this.commitAt = undefined;
        this.commit().catch(() => undefined);
      },
      life,
    );
  }

  private async commit(): Promise<void> {
    const { journal, untold, next } = this;
    const stored = this.history.storing();
    this.untold = [];
    try {
      await this.member.wire.request(() => {
        this.slot.store(this, journal, untold, next);
        stored();
      });
    } catch (error) {
      this.untold.unshift(...untold);
      if (this.isOwned && !this.isDropped) this.commitSoon(COMMIT_AGAIN_MS);
      throw error;
    }
  }
}

function positionOf({ position }: InboundRecord): number {
  return Number(position);
}

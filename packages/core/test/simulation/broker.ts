import { BusError } from '../../src/errors.js';
import type { InboundRecord, OutboundRecord } from '../../src/transport.js';
import type { Model } from './model.js';
import type { Life } from './time.js';

/** Who has a partition, as the broker sees it. */
export interface Owner {
  readonly life: Life;
  /** There is something to read. */
  wake(): void;
  /** Another may have it from now on; the owner does not know. */
  seized(): void;
  /** The owner hears that it is over. */
  drop(): void;
  /** The owner is asked to hand it over. `keeps`: and to go on, as when a rebalance leaves it where it is. */
  move(keeps: boolean): void;
}

/** One partition of one group: how far it is, its journal, and who may change either. */
export class Slot {
  owner: Owner | undefined;
  journal: string | undefined;
  /** Everything before it is settled. */
  next = 0;
  private readonly ahead = new Set<number>();
  /** Handed out so far: what is below was delivered before. */
  private delivered = 0;

  constructor(
    readonly group: string,
    readonly partition: number,
    private readonly log: readonly InboundRecord[],
    private readonly model: Model,
  ) {}

  get isDone(): boolean {
    return this.next === this.log.length;
  }

  /** At most `count` unsettled records from `from` on, and where to read on. */
  read(from: number, count: number): { readonly records: readonly InboundRecord[]; readonly next: number } {
    const records: InboundRecord[] = [];
    let at = from;
    for (; at < this.log.length && records.length < count; at += 1) {
      const record = this.log[at] as InboundRecord;
      if (at < this.next || this.ahead.has(at)) continue;
      records.push(at < this.delivered ? { ...record, redelivered: true } : record);
    }
    this.delivered = Math.max(this.delivered, at);
    return { records, next: at };
  }

  /** Refuses whoever owns the partition no longer. */
  store(by: Owner, journal: string | undefined, settled: readonly number[], next: number): void {
    if (this.owner !== by)
      throw new BusError('FENCED', 'The partition belongs to another', { retryable: false });
    if (journal !== undefined) this.journal = journal;
    for (const position of settled) this.ahead.add(position);
    while (this.ahead.delete(this.next)) this.next += 1;
    this.next = Math.max(this.next, next);
    this.model.tell(`${this.group}/${this.partition} stands at ${this.next}, journal ${this.journal}`);
    this.model.stored(this.group, this.partition, [
      ...settled,
      ...Array.from({ length: this.next }, (_, position) => position),
    ]);
  }
}

/** Append-only logs, and what the groups have of them. */
export class SimulatedBroker {
  readonly logs: InboundRecord[][];
  readonly slots: Slot[] = [];
  /** Told of every event that is stored. */
  readonly listeners: Set<{ appended(eventId: string): void }> = new Set<{
    appended(eventId: string): void;
  }>();

  constructor(
    readonly partitions: number,
    private readonly nowMs: () => number,
    readonly model: Model,
  ) {
    this.logs = Array.from({ length: partitions }, () => []);
  }

  addGroup(name: string): readonly Slot[] {
    const slots = this.logs.map((log, partition) => new Slot(name, partition, log, this.model));
    this.slots.push(...slots);
    return slots;
  }

  append(
    { partition, key, value, headers }: Omit<OutboundRecord, 'timestampMs' | 'event'>,
    eventId: string | undefined,
  ): void {
    const log = this.logs[partition] as InboundRecord[];
    const record: InboundRecord = {
      key,
      value,
      headers,
      position: String(log.length),
      timestampMs: this.nowMs(),
      redelivered: false,
    };
    log.push(record);
    this.model.appended(partition, record);
    if (eventId !== undefined) for (const listener of this.listeners) listener.appended(eventId);
    for (const slot of this.slots) if (slot.partition === partition) slot.owner?.wake();
  }
}

import {
  type BusError,
  deferred,
  delay,
  type InboundRecord,
  reconnectDelayMs,
} from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { type RawEntry, recordOf } from './entry.js';
import { toBusError } from './errors.js';
import { KeyMissing, readFenced } from './fenced-read.js';
import type { OwnedPartition } from './owned-partition.js';
import { type ReadLimits, ReadSize } from './read-size.js';
import { stand } from './scripts.js';
import type { Topology } from './topology.js';
import type { Waker } from './waker.js';

/** How much is read, and for whom. */
export interface ReaderSettings extends ReadLimits {
  readonly group: string;
  readonly consumerName: string;
}

/** How a reader tells what happens to it. */
export interface ReaderEvents {
  works(): void;
  failed(error: BusError): void;
  /** Called before anything is asked for a partition. Rejects while a command of before may still be on its way. */
  clear(partition: OwnedPartition): Promise<void>;
  /** The partition is owned no more. */
  refused(partition: OwnedPartition): void;
  /** The stream or the group is gone. */
  groupMissing(partition: OwnedPartition): void;
  /** Entries were deleted while they were pending. */
  trimmed(partition: OwnedPartition, count: number): void;
}

/** What was read of one partition. */
interface Delivery {
  readonly partition: OwnedPartition;
  readonly records: readonly InboundRecord[];
  /** Positions of entries that were deleted. */
  readonly gone: readonly string[];
  /** Position of the last entry; undefined when nothing was there. */
  readonly last: string | undefined;
  /** There is more, as far as the read can tell. */
  readonly more: boolean;
}

/**
 * Reads partitions that lie together, as long as there is something to read, and then waits until there is. One read at a
 * time: what is read of a partition arrives in its order.
 */
export class Reader {
  private readonly partitions = new Set<OwnedPartition>();
  private readonly closing = new AbortController();
  private changed = deferred();
  private readonly size: ReadSize;
  /** Reads in a row that brought nothing. */
  private dryReads = 0;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly waker: Waker,
    private readonly settings: ReaderSettings,
    private readonly events: ReaderEvents,
  ) {
    this.size = new ReadSize(settings);
    void this.run();
  }

  add(partition: OwnedPartition): void {
    this.partitions.add(partition);
    this.wake();
  }

  /** An answer that is under way is still delivered. */
  remove(partition: OwnedPartition): void {
    this.partitions.delete(partition);
  }

  /** A partition may be read again. */
  wake(): void {
    this.changed.resolve();
    this.waker.interrupt();
  }

  close(): void {
    this.closing.abort();
    this.partitions.clear();
    this.changed.resolve();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted; ) {
      this.changed = deferred();
      const readable = [...this.partitions].filter(({ isReadable }) => isReadable);
      try {
        if (readable.length === 0) await this.changed.promise;
        else if (!(await this.readOnce(readable))) await this.sleep(readable);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (this.closing.signal.aborted) return;
        this.events.failed(toBusError(error, `read for the group ${this.settings.group}`));
        await delay(reconnectDelayMs(failures), this.closing.signal);
      }
    }
  }

  /** Waits until a stream goes on, or until something else may be read. */
  private async sleep(partitions: readonly OwnedPartition[]): Promise<void> {
    const { keys } = this.topology;
    // Woken for nothing, perhaps because somebody moved the group: then it would be woken at once again.
    if (this.dryReads > 1) await this.locate(partitions);
    const wait = this.waker.wait(
      partitions.map(({ partition, lastDelivered = '0-0' }) => ({
        stream: keys.streamOf(partition),
        behind: lastDelivered,
      })),
    );
    await Promise.race([wait, this.changed.promise]);
  }

  /** Asks where the group stands. */
  private async locate(partitions: readonly OwnedPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const answers = (await stand.run(
      this.commands,
      partitions.map(({ partition }) => this.topology.keys.streamOf(partition)),
      [this.settings.group],
    )) as readonly (Buffer | null)[];
    partitions.forEach((partition, index) => {
      partition.standsAt(answers[index]?.toString());
    });
  }

  /** False when there is nothing more to be read for now. */
  private async readOnce(partitions: readonly OwnedPartition[]): Promise<boolean> {
    await Promise.all(partitions.map((partition) => this.events.clear(partition)));
    await this.locate(partitions.filter(({ isLocated }) => !isLocated));
    const deliveries = await this.ask(partitions);
    const full = deliveries.filter(({ more }) => more).length;
    this.size.brought(
      deliveries.flatMap(({ records }) => records),
      full,
    );
    this.dryReads = deliveries.some(({ last }) => last !== undefined) ? 0 : this.dryReads + 1;
    for (const delivery of deliveries) this.deliver(delivery);
    return full > 0 || deliveries.length === 0;
  }

  /** Nothing when one of the partitions could not be read: then none was. */
  private async ask(partitions: readonly OwnedPartition[]): Promise<readonly Delivery[]> {
    const { keys } = this.topology;
    const { group, consumerName } = this.settings;
    const count = this.size.countFor(partitions.length);
    const reads = partitions.map(({ partition, lease, readFrom }) => ({
      stream: keys.streamOf(partition),
      pass: keys.pass(partition, group, lease.token),
      behind: readFrom,
    }));
    try {
      const answer = await readFenced(this.commands, reads, { group, consumerName, count });
      this.events.works();
      if (answer instanceof KeyMissing) return this.missing(answer, partitions);
      return partitions.map((partition, index) => deliveryOf(partition, answer[index] ?? [], count));
    } catch (error) {
      for (const partition of partitions) partition.readLost();
      throw error;
    }
  }

  private missing({ kind, index }: KeyMissing, partitions: readonly OwnedPartition[]): readonly Delivery[] {
    const partition = partitions[index] as OwnedPartition;
    if (kind === 'pass') this.events.refused(partition);
    else this.events.groupMissing(partition);
    return [];
  }

  private deliver({ partition, records, gone, last }: Delivery): void {
    if (last === undefined) return partition.readDry();
    partition.deliver(records, last);
    if (gone.length === 0) return;
    partition.forget(gone);
    this.events.trimmed(partition, gone.length);
  }
}

function deliveryOf(partition: OwnedPartition, entries: readonly RawEntry[], count: number): Delivery {
  const { readsPending } = partition;
  return {
    partition,
    records: entries.filter(([, fields]) => fields !== null).map((entry) => recordOf(entry, readsPending)),
    gone: entries.filter(([, fields]) => fields === null).map(([id]) => id.toString()),
    last: entries[entries.length - 1]?.[0].toString(),
    more: readsPending || entries.length >= count,
  };
}

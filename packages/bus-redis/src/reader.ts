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
import { stand } from './scripts.js';
import type { Topology } from './topology.js';
import type { Waker } from './waker.js';

/** How much is read, and for whom. */
export interface ReaderSettings {
  readonly group: string;
  readonly consumerName: string;
  readonly maxReadCount: number;
  readonly maxReadBytes: number;
  /** How many unsettled events core accepts. */
  readonly maxInFlight: number;
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

/** Before anything was read. The first reads bring little, and so tell how much the next may bring. */
const FIRST_GUESS_BYTES = 131_072;
/** What an entry takes beside its body. */
const ENTRY_OVERHEAD = 512;

/**
 * Reads partitions that lie together, as long as there is something to read, and then waits until there is. One read at a
 * time: what is read of a partition arrives in its order.
 */
export class Reader {
  private readonly partitions = new Set<OwnedPartition>();
  private readonly closing = new AbortController();
  private changed = deferred();
  /** Of the largest entry of late. */
  private entryBytes = FIRST_GUESS_BYTES;
  /** How many partitions had more than the last read asked for. */
  private full = 1;
  /** Reads in a row that brought nothing. */
  private dryReads = 0;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly waker: Waker,
    private readonly settings: ReaderSettings,
    private readonly events: ReaderEvents,
  ) {
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

  /** How much of each partition, so that all of them together bring no more than one read may. */
  private count(partitions: number): number {
    const { maxReadBytes, maxReadCount, maxInFlight } = this.settings;
    const fitting = Math.min(
      maxReadCount / Math.min(this.full, partitions),
      maxReadBytes / partitions / this.entryBytes,
      maxInFlight / partitions,
    );
    return Math.max(1, Math.floor(fitting));
  }

  /** False when there is nothing more to be read for now. */
  private async readOnce(partitions: readonly OwnedPartition[]): Promise<boolean> {
    const count = this.count(partitions.length);
    await Promise.all(partitions.map((partition) => this.events.clear(partition)));
    await this.locate(partitions.filter(({ isLocated }) => !isLocated));
    const answer = await this.ask(partitions, count);
    if (answer instanceof KeyMissing) {
      const partition = partitions[answer.index] as OwnedPartition;
      if (answer.kind === 'pass') this.events.refused(partition);
      else this.events.groupMissing(partition);
      return true;
    }
    const found = answer.reduce((sum, entries) => sum + entries.length, 0);
    this.dryReads = found === 0 ? this.dryReads + 1 : 0;
    const goesOn = partitions.map((partition, index) => {
      const entries = answer[index] as readonly RawEntry[];
      const more = partition.readsPending || entries.length >= count;
      this.deliver(partition, entries);
      return more;
    });
    this.full = Math.max(1, goesOn.filter(Boolean).length);
    return goesOn.includes(true);
  }

  private async ask(
    partitions: readonly OwnedPartition[],
    count: number,
  ): Promise<readonly (readonly RawEntry[])[] | KeyMissing> {
    const { keys } = this.topology;
    const { group, consumerName } = this.settings;
    const reads = partitions.map(({ partition, lease, readFrom }) => ({
      stream: keys.streamOf(partition),
      pass: keys.pass(partition, group, lease.token),
      behind: readFrom,
    }));
    try {
      const answer = await readFenced(this.commands, reads, { group, consumerName, count });
      this.events.works();
      return answer;
    } catch (error) {
      for (const partition of partitions) partition.readLost();
      throw error;
    }
  }

  private deliver(partition: OwnedPartition, entries: readonly RawEntry[]): void {
    const { readsPending } = partition;
    const last = entries[entries.length - 1];
    if (!last) return partition.readDry();
    const records = entries
      .filter(([, fields]) => fields !== null)
      .map((entry) => recordOf(entry, readsPending));
    const gone = entries.filter(([, fields]) => fields === null).map(([id]) => id.toString());
    this.entryBytes = Math.max(this.entryBytes / 2, ENTRY_OVERHEAD, ...records.map(bytesOf));
    partition.deliver(records, last[0].toString());
    if (gone.length === 0) return;
    partition.forget(gone);
    this.events.trimmed(partition, gone.length);
  }
}

function bytesOf({ value }: InboundRecord): number {
  return ENTRY_OVERHEAD + (value?.byteLength ?? 0);
}

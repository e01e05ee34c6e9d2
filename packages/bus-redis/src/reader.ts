import {
  type BusError,
  deferred,
  delay,
  type InboundRecord,
  reconnectDelayMs,
} from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { type Argument, type RawEntry, recordOf } from './entry.js';
import { toBusError } from './errors.js';
import type { OwnedPartition } from './owned-partition.js';
import { read } from './scripts.js';
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

/** What a read brings comes in at least so many pages. */
const PAGES = 8;
const MIN_PAGE = 16;
const MAX_PAGE = 256;
const FIRST_GUESS_BYTES = 16_384;
/** What an entry takes beside its body. */
const ENTRY_OVERHEAD = 512;

type Answer = 0 | 1 | Buffer | readonly [entries: readonly RawEntry[], lastDelivered: Buffer | null];

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
        else if (await this.readOnce(readable)) this.turn();
        else await this.sleep(readable);
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
    const wait = this.waker.wait(
      partitions.map(({ partition, lastDelivered = '0-0' }) => ({
        stream: keys.streamOf(partition),
        behind: lastDelivered,
      })),
    );
    await Promise.race([wait, this.changed.promise]);
  }

  /** Whoever was first comes last: an answer that is full leaves nothing for those behind. */
  private turn(): void {
    const [first] = this.partitions;
    if (!first) return;
    this.partitions.delete(first);
    this.partitions.add(first);
  }

  /** Small enough that a page more than was asked for does no harm, going by the entries of late. */
  private pageSize(): number {
    const fitting = Math.floor(this.settings.maxReadBytes / PAGES / this.entryBytes);
    return Math.max(MIN_PAGE, Math.min(fitting, MAX_PAGE));
  }

  /** False when nothing was there. */
  private async readOnce(partitions: readonly OwnedPartition[]): Promise<boolean> {
    const { keys } = this.topology;
    const { group, consumerName, maxReadBytes, maxReadCount, maxInFlight } = this.settings;
    const count = Math.min(maxReadCount, Math.ceil(maxInFlight / partitions.length));
    await Promise.all(partitions.map((partition) => this.events.clear(partition)));
    const answers = await this.ask(
      partitions,
      partitions.flatMap(({ partition }) => [keys.lease(partition, group), keys.streamOf(partition)]),
      [
        group,
        consumerName,
        maxReadBytes,
        this.pageSize(),
        ...partitions.flatMap(({ lease, readFrom }) => [lease.token, readFrom, count]),
      ],
    );
    let found = false;
    (answers as readonly Answer[]).forEach((answer, index) => {
      if (this.take(partitions[index] as OwnedPartition, answer)) found = true;
    });
    return found;
  }

  private async ask(
    partitions: readonly OwnedPartition[],
    keys: readonly string[],
    args: readonly Argument[],
  ): Promise<unknown> {
    try {
      const answers = await read.run(this.commands, keys, args);
      this.events.works();
      return answers;
    } catch (error) {
      for (const partition of partitions) partition.readLost();
      throw error;
    }
  }

  /** False when nothing was there, and nothing more is to be expected for now. */
  private take(partition: OwnedPartition, answer: Answer): boolean {
    if (answer === 1) return true;
    if (answer === 0) this.events.refused(partition);
    else if (Buffer.isBuffer(answer)) this.refusedWith(partition, answer.toString());
    else return this.deliver(partition, answer);
    return true;
  }

  private deliver(
    partition: OwnedPartition,
    [entries, lastDelivered]: readonly [readonly RawEntry[], Buffer | null],
  ): boolean {
    const { readsPending } = partition;
    const last = entries[entries.length - 1];
    if (!last) {
      partition.readDry(lastDelivered?.toString());
      return readsPending;
    }
    const records = entries
      .filter(([, fields]) => fields !== null)
      .map((entry) => recordOf(entry, readsPending));
    const gone = entries.filter(([, fields]) => fields === null).map(([id]) => id.toString());
    this.entryBytes = Math.max(this.entryBytes / 2, ENTRY_OVERHEAD, ...records.map(bytesOf));
    partition.deliver(records, last[0].toString());
    if (gone.length > 0) {
      partition.forget(gone);
      this.events.trimmed(partition, gone.length);
    }
    return true;
  }

  private refusedWith(partition: OwnedPartition, message: string): void {
    if (message.startsWith('NOGROUP')) this.events.groupMissing(partition);
    else throw new Error(message);
  }
}

function bytesOf({ value }: InboundRecord): number {
  return ENTRY_OVERHEAD + (value?.byteLength ?? 0);
}

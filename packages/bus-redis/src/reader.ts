import { type BusError, deferred, delay, Elapsed, reconnectDelayMs } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { toBusError } from './errors.js';
import { readFenced } from './fenced-read.js';
import type { OwnedPartition } from './owned-partition.js';
import {
  type Delivery,
  PartitionReads,
  type ReadOwner,
  type RefusedReads,
  type Send,
} from './partition-reads.js';
import { type ReadLimits, ReadSize } from './read-size.js';
import type { Topology } from './topology.js';
import type { Waker } from './waker.js';

/** How much is read, and for whom. */
export interface ReaderSettings extends ReadLimits, ReadOwner {}

/** How a reader tells what happens to it. */
export interface ReaderEvents extends RefusedReads {
  works(): void;
  failed(error: BusError): void;
  /** Called before anything is asked for a partition. Rejects while a command of before may still be on its way. */
  clear(partition: OwnedPartition): Promise<void>;
  /** Entries were deleted while they were pending. */
  trimmed(partition: OwnedPartition, count: number): void;
}

/**
 * Reads partitions that lie together, as long as there is something to read, and then what comes. One read at a time: what
 * is read of a partition arrives in its order. While a full one is handed on, the next is under way.
 */
export class Reader {
  private readonly partitions = new Set<OwnedPartition>();
  private readonly closing = new AbortController();
  private changed = deferred();
  private readonly size: ReadSize;
  private readonly reads: PartitionReads;
  /** There may be something to read: what is new to this reader, or what the last read left. */
  private hasMore = true;
  private ahead: Promise<readonly Delivery[]> | undefined;
  /** How long the last read took, on the connection that prolongs leases. */
  private tookMs = 0;
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
    this.reads = new PartitionReads(commands, topology, settings, events);
    void this.run();
  }

  add(partition: OwnedPartition): void {
    this.partitions.add(partition);
    this.wake();
  }

  /** An answer that is under way is still delivered. */
  remove(partition: OwnedPartition): void {
    if (this.partitions.delete(partition)) this.wake();
  }

  /** A partition may be read again, or must no longer be. */
  wake(): void {
    this.hasMore = true;
    this.changed.resolve();
    this.waker.end();
  }

  close(): void {
    this.closing.abort();
    this.partitions.clear();
    this.changed.resolve();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted; ) {
      try {
        await this.turn();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.hasMore = true;
        if (this.closing.signal.aborted) return;
        this.events.failed(toBusError(error, `read for the group ${this.settings.group}`));
        await delay(reconnectDelayMs(failures), this.closing.signal);
      }
    }
  }

  private async turn(): Promise<void> {
    const { ahead, readable } = this;
    this.ahead = undefined;
    if (ahead) this.handOn(await ahead);
    else if (readable.length === 0) await this.change();
    else if (this.hasMore) this.handOn(await this.read(readable));
    else await this.wait(readable);
  }

  private get readable(): readonly OwnedPartition[] {
    return [...this.partitions].filter(({ isReadable }) => isReadable);
  }

  private change(): Promise<void> {
    this.changed = deferred();
    return this.changed.promise;
  }

  private async sendNow(...read: Parameters<Send>): ReturnType<Send> {
    const asked = new Elapsed();
    const answer = await readFenced(this.commands, ...read);
    this.tookMs = asked.ms;
    this.events.works();
    return answer;
  }

  private ask(partitions: readonly OwnedPartition[], send: Send): Promise<readonly Delivery[]> {
    this.hasMore = false;
    return this.reads.ask(partitions, this.size.countFor(partitions.length), send);
  }

  private async read(partitions: readonly OwnedPartition[]): Promise<readonly Delivery[]> {
    await this.clear(partitions);
    await this.reads.locate(partitions.filter(({ isLocated }) => !isLocated));
    return this.ask(partitions, (...read) => this.sendNow(...read));
  }

  /** Reads when a stream goes on, or when something else may be read. */
  private async wait(partitions: readonly OwnedPartition[]): Promise<void> {
    await this.clear(partitions);
    // Woken for nothing, perhaps because somebody moved the group: then it would be woken at once again.
    if (this.dryReads > 1) await this.reads.locate(partitions);
    const canEnd = await this.waker.canEnd();
    if (this.hasMore) return;
    const watched = partitions.map(({ partition, lastDelivered = '0-0' }) => ({
      stream: this.topology.keys.streamOf(partition),
      behind: lastDelivered,
    }));
    if (canEnd) {
      const send: Send = (reads, terms) => this.waker.waitAndRead(watched, reads, terms);
      const deliveries = await this.ask(partitions, send);
      // How long it waited says nothing about the link.
      this.tookMs = 0;
      return this.handOn(deliveries);
    }
    await Promise.race([this.waker.wait(watched), this.change()]);
    this.hasMore = true;
  }

  private async clear(partitions: readonly OwnedPartition[]): Promise<void> {
    await Promise.all(partitions.map((partition) => this.events.clear(partition)));
  }

  private handOn(deliveries: readonly Delivery[]): void {
    const full = deliveries.filter(({ more }) => more).length;
    this.size.brought(
      deliveries.flatMap(({ records }) => records),
      full,
      this.tookMs,
    );
    this.dryReads = deliveries.some(({ last }) => last !== undefined) ? 0 : this.dryReads + 1;
    if (full > 0 || deliveries.length === 0) this.hasMore = true;
    if (full > 0) this.readAhead();
    for (const delivery of deliveries) this.deliver(delivery);
  }

  /** The server works on the next read while handlers have this one. What is to be read must not depend on it. */
  private readAhead(): void {
    const { readable } = this;
    if (readable.length === 0 || !readable.every((partition) => partition.canReadAhead)) return;
    this.ahead = this.ask(readable, (...read) => this.sendNow(...read));
    this.ahead.catch(() => undefined);
  }

  private deliver({ partition, records, gone, last }: Delivery): void {
    if (last === undefined) return partition.readDry();
    partition.deliver(records, last);
    if (gone.length === 0) return;
    partition.forget(gone);
    this.events.trimmed(partition, gone.length);
  }
}

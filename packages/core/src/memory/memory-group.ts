import type { InboundRecord } from '../transport.js';
import type { MemoryLog } from './memory-log.js';

/** How far a group is in one partition. */
class Progress {
  /** Everything before it is settled. */
  next: number;
  /** Settled beyond `next`. */
  readonly ahead = new Set<number>();
  /** Handed out so far: what is below was delivered before. */
  delivered: number;

  constructor(start: number) {
    this.next = start;
    this.delivered = start;
  }

  settle(offset: number): void {
    if (offset < this.next) return;
    this.ahead.add(offset);
    while (this.ahead.delete(this.next)) this.next += 1;
  }
}

/** What the broker knows of a consumer group: progress and crash journals. */
export class MemoryGroup {
  readonly journals: Map<number, string> = new Map<number, string>();
  private readonly progress: readonly Progress[];

  constructor(
    readonly name: string,
    private readonly logs: readonly MemoryLog[],
    startFrom: 'earliest' | 'latest',
  ) {
    this.progress = logs.map((log) => new Progress(startFrom === 'latest' ? log.end : log.start));
  }

  /** First offset that is not settled. */
  next(partition: number): number {
    return this.progress[partition]?.next ?? 0;
  }

  settle(partition: number, records: readonly InboundRecord[]): void {
    for (const record of records) this.progress[partition]?.settle(Number(record.position));
  }

  /** Unsettled records from `offset` on, marked when they were handed out before. */
  read(
    partition: number,
    offset: number,
    count: number,
  ): { readonly records: readonly InboundRecord[]; readonly next: number } {
    const progress = this.progress[partition];
    const log = this.logs[partition];
    if (!progress || !log) return { records: [], next: offset };
    const read = log.read(offset, count);
    const next = Math.max(offset, log.start) + read.length;
    const records: InboundRecord[] = [];
    for (const record of read) {
      const at = Number(record.position);
      if (at < progress.next || progress.ahead.has(at)) continue;
      records.push(at < progress.delivered ? { ...record, redelivered: true } : record);
    }
    progress.delivered = Math.max(progress.delivered, next);
    return { records, next };
  }

  lag(): { readonly partition: number; readonly lag: number }[] {
    return this.progress.map((progress, partition) => ({
      partition,
      lag: (this.logs[partition]?.end ?? 0) - progress.next - progress.ahead.size,
    }));
  }
}

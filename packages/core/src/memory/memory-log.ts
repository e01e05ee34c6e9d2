import type { InboundRecord, OutboundRecord } from '../transport.js';

/** One partition: records by offset, the oldest ones dropped when they are no longer needed. */
export class MemoryLog {
  private records: InboundRecord[] = [];
  private base = 0;
  private newestDroppedMs = Number.NEGATIVE_INFINITY;

  /** Offset of the oldest record that is kept. */
  get start(): number {
    return this.base;
  }

  /** Offset that the next record will get. */
  get end(): number {
    return this.base + this.records.length;
  }

  append({ key, value, headers, timestampMs }: OutboundRecord): void {
    this.records.push({ key, value, headers, timestampMs, position: String(this.end), redelivered: false });
  }

  /** At most `count` records from `offset` on; older offsets read from the start. */
  read(offset: number, count: number): readonly InboundRecord[] {
    const from = Math.max(0, offset - this.base);
    return this.records.slice(from, from + count);
  }

  /** Offset of the first record at or after this time. */
  offsetAt(timeMs: number): number {
    const index = this.records.findIndex((record) => (record.timestampMs ?? 0) >= timeMs);
    return index < 0 ? this.end : this.base + index;
  }

  /** Whether a record of this time or later is no longer kept. */
  hasDroppedSince(timeMs: number): boolean {
    return this.newestDroppedMs >= timeMs;
  }

  /** Drops what lies before `offset`, but keeps the newest `retained`. In steps, so that dropping stays cheap. */
  trim(offset: number, retained: number): void {
    const upTo = Math.min(offset, this.end - retained);
    const dropped = upTo - this.base;
    if (dropped < Math.max(1, retained / 2)) return;
    for (let at = 0; at < dropped; at += 1)
      this.newestDroppedMs = Math.max(this.newestDroppedMs, this.records[at]?.timestampMs ?? 0);
    this.records = this.records.slice(dropped);
    this.base = upTo;
  }
}

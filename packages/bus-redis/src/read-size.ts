import type { InboundRecord } from '@omnibus/core/transport';

/** What one read may bring. */
export interface ReadLimits {
  readonly maxReadCount: number;
  readonly maxReadBytes: number;
  /** How many unsettled events core accepts. */
  readonly maxInFlight: number;
  /** Leases are prolonged on the same connection: behind an answer that takes this long they end. */
  readonly leaseMs: number;
}

/** Before anything was read. The first reads bring little, and so tell how much the next may bring. */
const FIRST_GUESS_BYTES = 131_072;
/** A process that stood still measures a link that is slower than any. */
const LEAST_BYTES = 16_384;
/** What an entry takes beside its body. */
const ENTRY_OVERHEAD = 512;
/** A read that takes a larger part of the lease is too large for its link, as one that brings all at once is too small. */
const SLOW_PART = 1 / 4;
const QUICK_PART = 1 / 16;

/**
 * How many entries a read asks for, going by the reads before it: the server counts entries, memory is bytes, and a link
 * is slow or fast.
 */
export class ReadSize {
  /** Of the largest entry of late. */
  private entryBytes = FIRST_GUESS_BYTES;
  /** How many partitions had more than the last read asked for. */
  private full = 1;
  /** What the link is known to carry in time. */
  private readBytes: number;

  constructor(private readonly limits: ReadLimits) {
    this.readBytes = Math.min(limits.maxReadBytes, FIRST_GUESS_BYTES);
  }

  /** Of each partition, so that all of them together bring no more than one read may. */
  countFor(partitions: number): number {
    const { maxReadCount, maxInFlight } = this.limits;
    const fitting = Math.min(
      maxReadCount / Math.min(this.full, partitions),
      this.readBytes / partitions / this.entryBytes,
      maxInFlight / partitions,
    );
    return Math.max(1, Math.floor(fitting));
  }

  /** What a read has brought in this time, and how many partitions have more. */
  brought(records: Iterable<InboundRecord>, full: number, tookMs: number): void {
    this.full = Math.max(1, full);
    let largest = Math.max(ENTRY_OVERHEAD, this.entryBytes / 2);
    let bytes = 0;
    for (const record of records) {
      const entry = ENTRY_OVERHEAD + sizeOf(record);
      largest = Math.max(largest, entry);
      bytes += entry;
    }
    this.entryBytes = largest;
    this.adjust(bytes, full > 0, tookMs);
  }

  private adjust(bytes: number, isFull: boolean, tookMs: number): void {
    const { leaseMs, maxReadBytes } = this.limits;
    if (tookMs > leaseMs * SLOW_PART)
      this.readBytes = Math.min(maxReadBytes, Math.max(LEAST_BYTES, (bytes * leaseMs * SLOW_PART) / tookMs));
    else if (isFull && tookMs < leaseMs * QUICK_PART)
      this.readBytes = Math.min(maxReadBytes, 2 * this.readBytes);
  }
}

/** Others may put into any field what a bus puts into the body. */
function sizeOf({ key, value, headers }: InboundRecord): number {
  let bytes = (value?.byteLength ?? 0) + (key?.length ?? 0);
  for (const name of Object.keys(headers)) bytes += (headers[name] as Uint8Array | undefined)?.length ?? 0;
  return bytes;
}

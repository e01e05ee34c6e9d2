import type { InboundRecord } from '@omnibus/core/transport';

/** What one read may bring. */
export interface ReadLimits {
  readonly maxReadCount: number;
  readonly maxReadBytes: number;
  /** How many unsettled events core accepts. */
  readonly maxInFlight: number;
}

/** Before anything was read. The first reads bring little, and so tell how much the next may bring. */
const FIRST_GUESS_BYTES = 131_072;
/** What an entry takes beside its body. */
const ENTRY_OVERHEAD = 512;

/** How many entries a read asks for, going by the reads before it: the server counts entries, memory is bytes. */
export class ReadSize {
  /** Of the largest entry of late. */
  private entryBytes = FIRST_GUESS_BYTES;
  /** How many partitions had more than the last read asked for. */
  private full = 1;

  constructor(private readonly limits: ReadLimits) {}

  /** Of each partition, so that all of them together bring no more than one read may. */
  countFor(partitions: number): number {
    const { maxReadBytes, maxReadCount, maxInFlight } = this.limits;
    const fitting = Math.min(
      maxReadCount / Math.min(this.full, partitions),
      maxReadBytes / partitions / this.entryBytes,
      maxInFlight / partitions,
    );
    return Math.max(1, Math.floor(fitting));
  }

  /** What a read has brought, and how many partitions have more. */
  brought(records: Iterable<InboundRecord>, full: number): void {
    this.full = Math.max(1, full);
    let largest = Math.max(ENTRY_OVERHEAD, this.entryBytes / 2);
    for (const { value } of records) largest = Math.max(largest, ENTRY_OVERHEAD + (value?.byteLength ?? 0));
    this.entryBytes = largest;
  }
}

import type { BusError } from '@omnibus/core/transport';
import { ByteReader } from './byte-reader.js';
import { DecodeBudget } from './decode-budget.js';
import { toBusError } from './errors.js';
import { protocolError } from './protocol.js';
import { decodeBatches, type RecordBatch } from './record-batch.js';

/** What one partition of a fetch gave. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Behind the last record that may be read. -1 when the broker did not say. */
  readonly readableEnd: bigint;
  /** Transactions that were aborted, from which offset on. */
  readonly aborted: readonly AbortedTransaction[];
  readonly batches: readonly RecordBatch[];
  /** Why the first batch cannot be read; then there are no batches. The other partitions have nothing to do with it. */
  readonly unreadable: BusError | undefined;
}

/** A transaction whose records do not count. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: bigint;
}

/** The version of the request that this reads the answer of. */
export const FETCH_VERSION = 11;

/** How an answer is read. */
export interface FetchTerms {
  readonly checkCrcs: boolean;
  /** Which offset each partition was asked from: what a batch holds before it is not wanted. */
  readonly from: ReadonlyMap<number, string>;
}

/**
 * Reads the answer to a fetch request, as far as the budget goes: batches that it does not reach for are left out, as if
 * the broker had not sent them.
 */
export async function decodeFetch(
  data: Buffer,
  { checkCrcs, from }: FetchTerms = { checkCrcs: false, from: new Map() },
  budget: DecodeBudget = new DecodeBudget(),
): Promise<readonly FetchedPartition[]> {
  const reader = new ByteReader(data);
  // Throttle time.
  reader.skip(4);
  const errorCode = reader.int16();
  if (errorCode !== 0) throw protocolError(errorCode);
  // There is no session that could have an id.
  reader.skip(4);
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    reader.skip(reader.int16());
    for (let left = reader.int32(); left > 0; left -= 1)
      partitions.push(
        await decodePartition(reader, (bytes, partition) =>
          decodeBatches(bytes, { checkCrcs, from: BigInt(from.get(partition) ?? '0'), budget }),
        ),
      );
  }
  return partitions;
}

async function decodePartition(
  reader: ByteReader,
  decode: (bytes: Buffer, partition: number) => Promise<readonly RecordBatch[]>,
): Promise<FetchedPartition> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  // High watermark.
  reader.skip(8);
  const readableEnd = reader.int64();
  // Log start.
  reader.skip(8);
  const aborted: AbortedTransaction[] = [];
  for (let left = reader.int32(); left > 0; left -= 1) {
    aborted.push({ producerId: reader.int64().toString(), firstOffset: reader.int64() });
  }
  // The replica that the broker would rather be asked.
  reader.skip(4);
  const bytes = reader.take(Math.max(0, reader.int32()));
  const answer = { partition, errorCode, readableEnd, aborted };
  try {
    return { ...answer, batches: await decode(bytes, partition), unreadable: undefined };
  } catch (error) {
    return { ...answer, batches: [], unreadable: toBusError(error, `read partition ${partition}`) };
  }
}

import { ByteReader } from './byte-reader.js';
import { decodeBatches, type RecordBatch } from './record-batch.js';

/** What one partition of a fetch gave. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Transactions that were aborted, from which offset on. */
  readonly aborted: readonly AbortedTransaction[];
  readonly batches: readonly RecordBatch[];
}

/** A transaction whose records do not count. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: bigint;
}

/** The version of the request that this reads the answer of. */
export const FETCH_VERSION = 11;

/** Reads the answer to a fetch request. */
export async function decodeFetch(data: Buffer): Promise<readonly FetchedPartition[]> {
  const reader = new ByteReader(data);
  // Throttle time, error of the session and its id: there is no session.
  reader.skip(10);
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    reader.skip(reader.int16());
    for (let left = reader.int32(); left > 0; left -= 1) partitions.push(await decodePartition(reader));
  }
  return partitions;
}

async function decodePartition(reader: ByteReader): Promise<FetchedPartition> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  // High watermark, last stable offset and log start.
  reader.skip(24);
  const aborted: AbortedTransaction[] = [];
  for (let left = reader.int32(); left > 0; left -= 1) {
    aborted.push({ producerId: reader.int64().toString(), firstOffset: reader.int64() });
  }
  // The replica that the broker would rather be asked.
  reader.skip(4);
  const batches = await decodeBatches(reader.take(Math.max(0, reader.int32())));
  return { partition, errorCode, aborted, batches };
}

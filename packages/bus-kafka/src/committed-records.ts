import type { InboundRecord } from '@omnibus/core/transport';
import type { FetchedPartition } from './fetch-decoder.js';
import { offsetAfter } from './offsets.js';

/** What of a fetch is handed out, and where the next one begins. */
export interface CommittedRecords {
  readonly records: readonly InboundRecord[];
  /** Undefined when nothing came. */
  readonly next: string | undefined;
}

/**
 * The records that count: from `fetchOffset` on (a broker sends whole batches, which may begin earlier), without the
 * markers of transactions and without what an aborted transaction wrote.
 */
export function committedRecords(
  { batches, aborted }: FetchedPartition,
  fetchOffset: string,
): CommittedRecords {
  const last = batches[batches.length - 1];
  if (!last) return { records: [], next: undefined };
  const from = BigInt(fetchOffset);
  const ahead = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<string>();
  const parts: (readonly InboundRecord[])[] = [];
  for (const { baseOffset, lastOffset, producerId, transactional, marker, records } of batches) {
    while (ahead[0] && BigInt(lastOffset) >= ahead[0].firstOffset)
      aborting.add(ahead.shift()?.producerId ?? '');
    if (marker !== undefined) aborting.delete(producerId);
    else if (transactional && aborting.has(producerId)) continue;
    else
      parts.push(
        BigInt(baseOffset) >= from ? records : records.filter(({ position }) => BigInt(position) >= from),
      );
  }
  const next = offsetAfter(last.lastOffset);
  return {
    records: parts.length === 1 ? (parts[0] ?? []) : parts.flat(),
    next: BigInt(next) > from ? next : undefined,
  };
}

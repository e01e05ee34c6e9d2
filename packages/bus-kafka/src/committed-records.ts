import type { FetchedMessage, FetchedPartition } from './protocol.js';

const ABORT_MARKER = Buffer.from([0, 0, 0, 0]);

/**
 * The records of a fetch that count: from `fetchOffset` on (a broker sends whole batches, which may begin earlier),
 * without the markers of transactions and without what an aborted transaction wrote.
 */
export function committedRecords(
  { messages, abortedTransactions }: FetchedPartition,
  fetchOffset: string,
): readonly FetchedMessage[] {
  const first = messages[0];
  if (!first) return messages;
  const from = BigInt(fetchOffset);
  const aborts = abortedTransactions ?? [];
  // The usual case costs nothing per record.
  if (aborts.length === 0 && BigInt(first.offset) >= from && !messages.some(isMarker)) return messages;
  const visible = aborts.length === 0 ? messages : withoutAborted(messages, aborts);
  return visible.filter((message) => !isMarker(message) && BigInt(message.offset) >= from);
}

function isMarker(message: FetchedMessage): boolean {
  return message.isControlRecord === true;
}

function withoutAborted(
  messages: readonly FetchedMessage[],
  aborts: NonNullable<FetchedPartition['abortedTransactions']>,
): FetchedMessage[] {
  const ahead = [...aborts].sort((a, b) => (BigInt(a.firstOffset) < BigInt(b.firstOffset) ? -1 : 1));
  const aborting = new Set<string>();
  return messages.filter((message) => {
    while (ahead[0] && BigInt(message.offset) >= BigInt(ahead[0].firstOffset))
      aborting.add(ahead.shift()?.producerId ?? '');
    const { producerId = '', inTransaction = false } = message.batchContext ?? {};
    if (isMarker(message)) {
      if (message.key && ABORT_MARKER.equals(message.key)) aborting.delete(producerId);
      return true;
    }
    return !(inTransaction && aborting.has(producerId));
  });
}

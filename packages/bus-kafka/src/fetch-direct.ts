import { BusError, type InboundRecord } from '@omnibus/core/transport';
import { committedRecords } from './committed-records.js';
import type { FetchedPartition } from './fetch-decoder.js';
import { hasLeaderMoved } from './leaders.js';
import { EARLIEST, offsetsAt } from './offsets.js';
import { protocolError } from './protocol.js';
import { fetch } from './record-requests.js';
import type { TopicView } from './topic-view.js';

const MAX_WAIT_MS = 100;
const MAX_BYTES = 1_048_576;
/** A leader that moves is looked for again; then the read fails. */
const MAX_RETRIES = 5;

/** What part of one partition to read. */
export interface ReadRange {
  readonly partition: number;
  /** First offset. */
  readonly from: string;
  /** Behind the last offset. */
  readonly to: string;
  /** What to do when records are deleted while they are read. */
  readonly onDeleted: 'skip' | 'fail';
  readonly signal?: AbortSignal | undefined;
}

/** Reads a range of a partition, without a group: nobody's position moves. */
export async function* readDirect(
  view: TopicView,
  range: ReadRange,
): AsyncGenerator<readonly InboundRecord[]> {
  const to = BigInt(range.to);
  let from = range.from;
  let retries = 0;
  while (BigInt(from) < to) {
    range.signal?.throwIfAborted();
    const answer = await fetchOne(view, range.partition, from);
    const { type } = answer.errorCode === 0 ? { type: undefined } : protocolError(answer.errorCode);
    if (type === 'OFFSET_OUT_OF_RANGE') {
      from = await skipDeleted(view, range, from);
      continue;
    }
    if (type !== undefined) {
      retries += 1;
      if (!hasLeaderMoved(type) || retries > MAX_RETRIES) throw protocolError(answer.errorCode);
      await view.refresh();
      continue;
    }
    const { records, next } = committedRecords(answer, from);
    // Nothing is left up to the end: what lay there was compacted away.
    if (next === undefined) return;
    from = next;
    const wanted = BigInt(from) <= to ? records : records.filter(({ position }) => BigInt(position) < to);
    if (wanted.length > 0) yield wanted;
  }
}

async function fetchOne(view: TopicView, partition: number, from: string): Promise<FetchedPartition> {
  const leader = await view.leaderOf(partition);
  const [answer] = await fetch(leader, {
    topic: view.topic,
    partitions: [{ partition, fetchOffset: from, maxBytes: MAX_BYTES }],
    maxWaitMs: MAX_WAIT_MS,
    maxBytes: MAX_BYTES,
  });
  if (!answer) throw protocolError(-1);
  return answer;
}

async function skipDeleted(
  view: TopicView,
  { partition, onDeleted, to }: ReadRange,
  from: string,
): Promise<string> {
  const start = (await offsetsAt(view, [partition], EARLIEST)).get(partition) ?? to;
  if (onDeleted === 'fail' || BigInt(start) <= BigInt(from)) {
    throw new BusError(
      'BROKER',
      `Offset ${from} of partition ${partition} of ${view.topic} was deleted while it was read; the oldest is ${start} now`,
      { retryable: false },
    );
  }
  return start;
}

import { BusError, delay, type InboundRecord, reconnectDelayMs } from '@omnibus/core/transport';
import { committedRecords } from './committed-records.js';
import { protocolTypeOf } from './errors.js';
import type { FetchedPartition } from './fetch-decoder.js';
import { hasLeaderMoved } from './leaders.js';
import { EARLIEST, offsetsAt } from './offsets.js';
import { protocolError } from './protocol.js';
import { fetch } from './record-requests.js';
import type { TopicView } from './topic-view.js';

const LEADER_NOT_AVAILABLE = 5;
const MAX_WAIT_MS = 100;
const MAX_BYTES = 1_048_576;
/** A leader that moves is looked for again, and one that gives nothing is asked again; then the read fails. */
const MAX_RETRIES = 12;

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
    if (type !== undefined && !hasLeaderMoved(type)) throw protocolError(answer.errorCode);
    if (answer.unreadable) throw answer.unreadable;
    const { records, next } = committedRecords(answer, from);
    if (next === undefined) {
      // What lay there was compacted away.
      if (isExhausted(answer, to)) return;
      retries += 1;
      if (retries > MAX_RETRIES)
        throw type === undefined ? gaveNothing(view, range, from) : protocolError(answer.errorCode);
      await delay(reconnectDelayMs(retries), range.signal);
      await view.refresh();
      continue;
    }
    retries = 0;
    from = next;
    const wanted = BigInt(from) <= to ? records : records.filter(({ position }) => BigInt(position) < to);
    if (wanted.length > 0) yield wanted;
  }
}

/**
 * Whether an answer without records means that there are none up to `to`. A broker also gives none when a quota is used
 * up, or when it leads the partition since a moment ago and does not know yet how far its followers are.
 */
export function isExhausted({ errorCode, readableEnd }: FetchedPartition, to: bigint): boolean {
  return errorCode === 0 && readableEnd >= to;
}

function gaveNothing({ topic }: TopicView, { partition, to }: ReadRange, from: string): BusError {
  return new BusError(
    'TIMEOUT',
    `The broker gave nothing from offset ${from} of partition ${partition} of ${topic} on, though it ends at ${to}; look whether a quota holds it back, and try again`,
  );
}

async function fetchOne(view: TopicView, partition: number, from: string): Promise<FetchedPartition> {
  const nothing = { partition, readableEnd: -1n, aborted: [], batches: [], unreadable: undefined };
  const leader = await view.leaderOf(partition).catch((error: unknown) => {
    if (protocolTypeOf(error) !== 'LEADER_NOT_AVAILABLE') throw error;
    return undefined;
  });
  if (!leader) return { ...nothing, errorCode: LEADER_NOT_AVAILABLE };
  const [answer] = await fetch(leader, {
    topic: view.topic,
    partitions: [{ partition, fetchOffset: from, maxBytes: MAX_BYTES }],
    maxWaitMs: MAX_WAIT_MS,
    maxBytes: MAX_BYTES,
    checkCrcs: true,
  });
  // A broker whose quota is used up leaves the partitions out.
  return answer ?? { ...nothing, errorCode: 0 };
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

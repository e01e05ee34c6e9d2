import { delay, reconnectDelayMs } from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import type { KafkaBroker } from './kafkajs-cluster.js';
import { listOffsets } from './topic-requests.js';
import type { TopicView } from './topic-view.js';

/** Timestamps that stand for the ends of a partition. */
export const LATEST = -1;
export const EARLIEST = -2;
/** Together about three seconds. */
const MAX_ATTEMPTS = 7;

/**
 * The first offset at or after a time, per partition; `LATEST` is the end (behind the last committed transaction),
 * `EARLIEST` the oldest kept. -1 where no record is that young.
 */
export async function offsetsAt(
  view: TopicView,
  partitions: readonly number[],
  timestamp: number,
): Promise<Map<number, string>> {
  if (partitions.length === 0) return new Map();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askLeaders(view, partitions, timestamp);
    } catch (error) {
      // A partition of a topic that was just made has no leader for a moment; one whose leader is gone gets another; and
      // a connection may have ended unnoticed.
      const reason = toBusError(error, `look for offsets of ${view.topic}`);
      if (!reason.retryable || attempt === MAX_ATTEMPTS) throw error;
      await delay(reconnectDelayMs(attempt));
      await view.refresh();
    }
  }
}

/** Offsets are text on the wire; arithmetic on them needs all 64 bits. */
export function offsetAfter(offset: string): string {
  return (BigInt(offset) + 1n).toString();
}

/** The greater offset. */
export function later(a: string, b: string): string {
  return BigInt(a) > BigInt(b) ? a : b;
}

async function askLeaders(
  view: TopicView,
  partitions: readonly number[],
  timestamp: number,
): Promise<Map<number, string>> {
  const byLeader = new Map<KafkaBroker, { readonly partition: number; readonly timestamp: number }[]>();
  for (const partition of partitions) {
    const leader = await view.leaderOf(partition);
    const list = byLeader.get(leader);
    if (list) list.push({ partition, timestamp });
    else byLeader.set(leader, [{ partition, timestamp }]);
  }
  const answers = await Promise.all(
    [...byLeader].map(([leader, list]) => listOffsets(leader, view.topic, list)),
  );
  return new Map(answers.flat().map(({ partition, offset }) => [partition, offset] as const));
}

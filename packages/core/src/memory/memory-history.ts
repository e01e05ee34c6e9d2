import { ConfigurationError } from '../errors.js';
import type { HistoryQuery, HistoryRange, InboundRecord } from '../transport.js';
import type { MemoryLog } from './memory-log.js';

const BATCH = 500;

interface Span {
  readonly partition: number;
  readonly log: MemoryLog;
  readonly from: number;
  readonly until: number;
}

/** A range of the logs, read in batches. */
export function readHistory(logs: readonly MemoryLog[], query: HistoryQuery): HistoryRange {
  const spans = logs.map(
    (log, partition): Span => ({
      partition,
      log,
      from: firstOffset(log, partition, query.from),
      until: lastOffset(log, partition, query.until),
    }),
  );
  const { from: start } = query;
  const truncated = spans.some(({ log, from }) =>
    start.kind === 'time' ? log.hasDroppedSince(start.timeMs) : from < log.start,
  );
  return { truncated, batches: batches(spans, query.signal) };
}

async function* batches(
  spans: readonly Span[],
  signal: AbortSignal | undefined,
): AsyncIterable<{ partition: number; records: readonly InboundRecord[] }> {
  for (const { partition, log, from, until } of spans) {
    for (let offset = Math.max(from, log.start); offset < until; ) {
      signal?.throwIfAborted();
      const records = log.read(offset, Math.min(BATCH, until - offset));
      if (records.length === 0) break;
      offset += records.length;
      yield { partition, records };
    }
  }
}

function firstOffset(log: MemoryLog, partition: number, from: HistoryQuery['from']): number {
  if (from.kind === 'beginning') return 0;
  if (from.kind === 'time') return log.offsetAt(from.timeMs);
  return offsetOf(from.positions[partition], partition, log.end);
}

function lastOffset(log: MemoryLog, partition: number, until: HistoryQuery['until']): number {
  if (until.kind === 'now') return log.end;
  if (until.kind === 'time') return log.offsetAt(until.timeMs);
  return Math.min(log.end, offsetOf(until.positions[partition], partition, log.end));
}

/** A partition that is not named takes no part: its range begins and ends at the end. */
function offsetOf(position: string | undefined, partition: number, end: number): number {
  if (position === undefined) return end;
  if (/^\d{1,15}$/.test(position)) return Number(position);
  const message = `must be an offset, got ${JSON.stringify(position)}`;
  throw new ConfigurationError([{ path: `positions.${partition}`, message }]);
}

import {
  type HistoryQuery,
  type HistoryRange,
  type HistoryReader,
  type InboundRecord,
  unsupported,
} from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import { type Entry, type HistoryHost, markEnd, readStream, type StreamOffset } from './history-reader.js';

/** What there is to read when nothing is kept. */
export const NO_HISTORY: HistoryReader = {
  open: () =>
    Promise.reject(
      unsupported(
        'Replay',
        'set history: true, which keeps every event from then on in a stream beside the queues',
      ),
    ),
};

/** Offsets of the stream, by the id of the message that lies there. */
type Places = ReadonlyMap<string, number>;

/** Reads the stream that keeps every event. A position names a message, as everywhere; where it lies has to be looked up. */
export class RabbitMQHistory implements HistoryReader {
  constructor(private readonly host: HistoryHost) {}

  async open(query: HistoryQuery): Promise<HistoryRange> {
    const { from, until, signal } = query;
    try {
      const end = await markEnd(this.host);
      const places = await this.look(end, [...positionsOf(from), ...positionsOf(until)]);
      const start = startOf(from, places);
      const isWithin = (entry: Entry): boolean =>
        isFrom(entry, from, places) && isBefore(entry, until, places);
      return {
        truncated: await this.isTruncated(from, places, end),
        batches: batchesOf(readStream(this.host, start, end, signal), isWithin),
      };
    } catch (error) {
      throw toBusError(error, `read ${this.host.queue}`);
    }
  }

  /** Where these messages lie. Those that are not kept any more are missing. */
  private async look(end: string, positions: readonly string[]): Promise<Places> {
    const places = new Map<string, number>();
    const wanted = new Set(positions);
    if (wanted.size === 0) return places;
    for await (const entries of readStream(this.host, 'first', end)) {
      for (const { offset, record } of entries)
        if (wanted.delete(record.position)) places.set(record.position, offset);
      if (wanted.size === 0) break;
    }
    return places;
  }

  /** Whether the range begins before the oldest record that is kept. */
  private async isTruncated(from: HistoryQuery['from'], places: Places, end: string): Promise<boolean> {
    if (from.kind === 'beginning') return false;
    if (from.kind === 'positions') return positionsOf(from).some((position) => !places.has(position));
    for await (const [oldest] of readStream(this.host, 'first', end))
      if (oldest) return oldest.offset > 0 && (oldest.record.timestampMs ?? 0) > from.timeMs;
    return false;
  }
}

async function* batchesOf(
  read: AsyncIterable<readonly Entry[]>,
  isWithin: (entry: Entry) => boolean,
): AsyncGenerator<{ partition: number; records: readonly InboundRecord[] }> {
  for await (const entries of read) {
    const byPartition = new Map<number, InboundRecord[]>();
    for (const entry of entries) {
      if (!isWithin(entry)) continue;
      const records = byPartition.get(entry.partition) ?? [];
      byPartition.set(entry.partition, records);
      records.push(entry.record);
    }
    for (const [partition, records] of byPartition) yield { partition, records };
  }
}

function positionsOf(place: HistoryQuery['from'] | HistoryQuery['until']): string[] {
  return place.kind === 'positions' ? Object.values(place.positions) : [];
}

/** A chunk of the stream before the time: the broker keeps times of chunks, in seconds. */
function startOf(from: HistoryQuery['from'], places: Places): StreamOffset {
  if (from.kind === 'time') return { '!': 'timestamp', value: Math.max(0, Math.floor(from.timeMs / 1_000)) };
  const offsets = positionsOf(from).map((position) => places.get(position));
  const known = offsets.filter((offset) => offset !== undefined);
  return known.length === 0 || known.length < offsets.length ? 'first' : Math.min(...known);
}

function isFrom({ offset, partition, record }: Entry, from: HistoryQuery['from'], places: Places): boolean {
  if (from.kind === 'beginning') return true;
  if (from.kind === 'time') return (record.timestampMs ?? 0) >= from.timeMs;
  const position = from.positions[partition];
  // One that is not kept any more lies before everything that is.
  return position !== undefined && offset >= (places.get(position) ?? 0);
}

function isBefore(
  { offset, partition, record }: Entry,
  until: HistoryQuery['until'],
  places: Places,
): boolean {
  if (until.kind === 'now') return true;
  if (until.kind === 'time') return (record.timestampMs ?? 0) < until.timeMs;
  const position = until.positions[partition];
  return position === undefined || offset < (places.get(position) ?? 0);
}

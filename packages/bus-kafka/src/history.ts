import {
  BusError,
  type HistoryQuery,
  type HistoryRange,
  type HistoryReader,
  type InboundRecord,
} from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import { readDirect } from './fetch-direct.js';
import { allPartitions } from './groups.js';
import { EARLIEST, LATEST, later, offsetsAt } from './offsets.js';
import type { TopicView } from './topic-view.js';

interface PartitionRange {
  readonly partition: number;
  readonly from: string;
  readonly to: string;
}

/** The stream as the broker keeps it, read without a group. */
export class KafkaHistory implements HistoryReader {
  constructor(private readonly view: TopicView) {}

  async open(query: HistoryQuery): Promise<HistoryRange> {
    try {
      await this.view.refresh();
      const partitions = allPartitions(this.view);
      const [oldest, ends] = await Promise.all([
        offsetsAt(this.view, partitions, EARLIEST),
        offsetsAt(this.view, partitions, LATEST),
      ]);
      const starts = await this.starts(query.from, partitions, oldest, ends);
      const stops = await this.stops(query.until, partitions, ends);
      const ranges = partitions.map((partition) => ({
        partition,
        from: starts.offsets.get(partition) ?? '0',
        to: stops.get(partition) ?? '0',
      }));
      return { truncated: starts.truncated, batches: this.read(ranges, query.signal) };
    } catch (error) {
      throw toBusError(error, `read the history of ${this.view.topic}`);
    }
  }

  private async *read(
    ranges: readonly PartitionRange[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly partition: number; readonly records: readonly InboundRecord[] }> {
    try {
      for (const { partition, from, to } of ranges) {
        for await (const records of readDirect(this.view, {
          partition,
          from,
          to,
          onDeleted: 'fail',
          signal,
        })) {
          yield { partition, records };
        }
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw toBusError(error, `read the history of ${this.view.topic}`);
    }
  }

  /** Where to begin, never before the oldest record; and whether records before it were asked for. */
  private async starts(
    from: HistoryQuery['from'],
    partitions: readonly number[],
    oldest: ReadonlyMap<number, string>,
    ends: ReadonlyMap<number, string>,
  ): Promise<{ readonly offsets: Map<number, string>; readonly truncated: boolean }> {
    const isTrimmed = (partition: number): boolean => oldest.get(partition) !== '0';
    if (from.kind === 'beginning') return { offsets: new Map(oldest), truncated: partitions.some(isTrimmed) };
    if (from.kind === 'time') {
      const offsets = withEnds(await offsetsAt(this.view, partitions, from.timeMs), ends);
      // The oldest record that is kept is already younger: those before it are gone.
      return {
        offsets,
        truncated: partitions.some(
          (partition) => isTrimmed(partition) && offsets.get(partition) === oldest.get(partition),
        ),
      };
    }
    const offsets = new Map<number, string>();
    let truncated = false;
    for (const partition of partitions) {
      const wanted = positionOf(from.positions, partition);
      const first = oldest.get(partition) ?? '0';
      // A partition that is not named takes no part.
      const start = wanted ?? ends.get(partition) ?? first;
      truncated ||= BigInt(start) < BigInt(first);
      offsets.set(partition, later(start, first));
    }
    return { offsets, truncated };
  }

  private async stops(
    until: HistoryQuery['until'],
    partitions: readonly number[],
    ends: ReadonlyMap<number, string>,
  ): Promise<ReadonlyMap<number, string>> {
    if (until.kind === 'now') return ends;
    if (until.kind === 'time') return withEnds(await offsetsAt(this.view, partitions, until.timeMs), ends);
    const stops = new Map(ends);
    for (const partition of partitions) {
      const wanted = positionOf(until.positions, partition);
      const end = ends.get(partition) ?? '0';
      if (wanted !== undefined && BigInt(wanted) < BigInt(end)) stops.set(partition, wanted);
    }
    return stops;
  }
}

/** A time after the last record means the end. */
function withEnds(
  offsets: ReadonlyMap<number, string>,
  ends: ReadonlyMap<number, string>,
): Map<number, string> {
  return new Map(
    [...offsets].map(
      ([partition, offset]) =>
        [partition, offset.startsWith('-') ? (ends.get(partition) ?? '0') : offset] as const,
    ),
  );
}

function positionOf(positions: Readonly<Record<number, string>>, partition: number): string | undefined {
  const position = positions[partition];
  if (position !== undefined && !/^\d+$/.test(position)) {
    throw new BusError(
      'VALIDATION',
      `A position of Kafka is an offset (digits); that of partition ${partition} is "${position.slice(0, 40)}"`,
    );
  }
  return position;
}

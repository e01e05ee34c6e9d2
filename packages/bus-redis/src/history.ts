import {
  BusError,
  type HistoryQuery,
  type HistoryRange,
  type HistoryReader,
  type InboundRecord,
} from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { comparePositions, type RawEntry, recordOf } from './entry.js';
import { toBusError } from './errors.js';
import type { StreamView, Topology } from './topology.js';

/** A part of a partition. */
interface PartitionRange {
  readonly partition: number;
  /** First and last bound, in the language of `XRANGE`. */
  readonly from: string;
  readonly to: string;
}

const PAGE = 500;
const POSITION = /^\d{1,20}-\d{1,20}$/;

/** The streams as the server keeps them, read without a group. */
export class RedisHistory implements HistoryReader {
  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
  ) {}

  async open({ from, until, signal }: HistoryQuery): Promise<HistoryRange> {
    try {
      const ranges: PartitionRange[] = [];
      let truncated = false;
      for (const [partition, view] of (await this.topology.view()).entries()) {
        const start = startOf(from, partition);
        // A partition that is not named takes no part.
        if (start === undefined) continue;
        truncated ||= isTruncated(from, start, view);
        ranges.push({ partition, from: start, to: endOf(until, partition, view) });
      }
      return { truncated, batches: this.read(ranges, signal) };
    } catch (error) {
      throw toBusError(error, `read the history of ${this.topology.keys.stream}`);
    }
  }

  private async *read(
    ranges: readonly PartitionRange[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ readonly partition: number; readonly records: readonly InboundRecord[] }> {
    try {
      for (const range of ranges)
        for await (const records of this.pages(range, signal)) yield { partition: range.partition, records };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw toBusError(error, `read the history of ${this.topology.keys.stream}`);
    }
  }

  private async *pages(
    { partition, from, to }: PartitionRange,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly InboundRecord[]> {
    const stream = this.topology.keys.streamOf(partition);
    for (let start = from; !signal?.aborted; ) {
      const page = (await this.commands.xrangeBuffer(
        stream,
        start,
        to,
        'COUNT',
        PAGE,
      )) as unknown as readonly RawEntry[];
      if (page.length > 0) yield page.map((entry) => recordOf(entry, false));
      if (page.length < PAGE) return;
      start = `(${page[page.length - 1]?.[0].toString()}`;
    }
  }
}

function startOf(from: HistoryQuery['from'], partition: number): string | undefined {
  if (from.kind === 'beginning') return '0-0';
  if (from.kind === 'time') return timePosition(from.timeMs);
  return positionOf(from.positions, partition);
}

/** Where the range ends: never behind what is there now. */
function endOf(until: HistoryQuery['until'], partition: number, { last }: StreamView): string {
  const wanted =
    until.kind === 'now'
      ? undefined
      : until.kind === 'time'
        ? timePosition(until.timeMs)
        : positionOf(until.positions, partition);
  return wanted !== undefined && comparePositions(wanted, last) <= 0 ? `(${wanted}` : last;
}

/** Entries are gone, and the range asked for begins before those that are left. */
function isTruncated(
  from: HistoryQuery['from'],
  start: string,
  { first, length, added }: StreamView,
): boolean {
  if (added <= length) return false;
  const distance = comparePositions(start, first);
  return from.kind === 'positions' ? distance < 0 : distance <= 0;
}

function timePosition(timeMs: number): string {
  return `${Math.max(0, Math.ceil(timeMs))}-0`;
}

function positionOf(positions: Readonly<Record<number, string>>, partition: number): string | undefined {
  const position = positions[partition];
  if (position !== undefined && !POSITION.test(position)) {
    throw new BusError(
      'VALIDATION',
      `A position of Redis is an id as 1795476036289-0; that of partition ${partition} is "${position.slice(0, 40)}"`,
    );
  }
  return position;
}

import {
  type DeadLetterStore,
  type InboundRecord,
  mergeOrdered,
  type OutboundRecord,
  type StoredDeadLetter,
} from '@omnibus/core/transport';
import type { DeadLetterState } from './dead-letter-state.js';
import { toBusError } from './errors.js';
import { readDirect } from './fetch-direct.js';
import { allPartitions } from './groups.js';
import { EARLIEST, LATEST, later, offsetAfter, offsetsAt } from './offsets.js';
import type { TopicView } from './topic-view.js';

/** Where a dead letter lies. Its id is `partition-offset`. */
interface Place {
  readonly partition: number;
  readonly offset: string;
}

/** The dead letter topic, read without a group. */
export class KafkaDeadLetters implements DeadLetterStore {
  constructor(
    private readonly view: TopicView,
    private readonly state: DeadLetterState,
    private readonly publish: (record: OutboundRecord) => Promise<void>,
    private readonly warn: (message: string) => void,
  ) {}

  async *read({
    after,
    pageSize,
  }: {
    readonly after: string | undefined;
    readonly pageSize: number;
  }): AsyncGenerator<readonly StoredDeadLetter[]> {
    let page: StoredDeadLetter[] = [];
    try {
      await this.view.refresh();
      await this.state.refresh();
      for await (const letter of this.oldestFirst(after)) {
        if (this.state.isRemoved(letter.id)) continue;
        page.push(letter);
        if (page.length < pageSize) continue;
        yield page;
        page = [];
      }
    } catch (error) {
      throw toBusError(error, `read ${this.view.topic}`);
    }
    if (page.length > 0) yield page;
  }

  async replay(letter: StoredDeadLetter, group: string, record: OutboundRecord): Promise<boolean> {
    try {
      const [there] = await this.stillThere([letter.id]);
      if (there === undefined) return false;
      await this.publish(record);
      await this.state.note([letter.id], 'replayed', group);
    } catch (error) {
      throw toBusError(error, `replay the dead letter ${letter.id}`);
    }
    await this.trim();
    return true;
  }

  async remove(letters: readonly StoredDeadLetter[], group: string): Promise<number> {
    let ids: string[];
    try {
      ids = await this.stillThere(letters.map(({ id }) => id));
      await this.state.note(ids, 'purged', group);
    } catch (error) {
      throw toBusError(error, `remove ${letters.length} dead letters`);
    }
    await this.trim();
    return ids.length;
  }

  /** Neither noted as removed nor deleted from the topic, after which its note is deleted, too. */
  private async stillThere(ids: readonly string[]): Promise<string[]> {
    await this.state.refresh();
    await this.view.refresh();
    // After the notes: a note that is gone by now belongs to a letter that is gone as well.
    const oldest = await offsetsAt(this.view, allPartitions(this.view), EARLIEST);
    return ids.filter((id) => {
      const { partition, offset } = placeOf(id);
      return !this.state.isRemoved(id) && BigInt(offset) >= BigInt(oldest.get(partition) ?? '0');
    });
  }

  /** All of them as they stand now, in the order in which they were written, as far as several partitions know one. */
  private async *oldestFirst(after: string | undefined): AsyncGenerator<StoredDeadLetter> {
    const partitions = allPartitions(this.view);
    const cursor = after === undefined ? undefined : placeOf(after);
    const [starts, ends] = await Promise.all([
      offsetsAt(this.view, partitions, EARLIEST),
      offsetsAt(this.view, partitions, LATEST),
    ]);
    if (cursor && partitions.length === 1)
      starts.set(0, later(starts.get(0) ?? '0', offsetAfter(cursor.offset)));
    let behindCursor = cursor === undefined || partitions.length === 1;
    for await (const { partition, record } of mergeOrdered(
      partitions.map((each) => this.partition(each, starts, ends)),
      (a, b) => timeOf(a) - timeOf(b),
    )) {
      if (!behindCursor && cursor) {
        if (partition !== cursor.partition || BigInt(record.position) < BigInt(cursor.offset)) continue;
        behindCursor = true;
        if (record.position === cursor.offset) continue;
      }
      yield { id: idOf({ partition, offset: record.position }), record };
    }
  }

  private async *partition(
    partition: number,
    starts: ReadonlyMap<number, string>,
    ends: ReadonlyMap<number, string>,
  ): AsyncGenerator<PlacedRecord> {
    const range = {
      partition,
      from: starts.get(partition) ?? '0',
      to: ends.get(partition) ?? '0',
      onDeleted: 'skip' as const,
    };
    for await (const records of readDirect(this.view, range))
      for (const record of records) yield { partition, record };
  }

  /** What was removed from the oldest on is deleted for good, so that neither the topic nor its notes grow for ever. */
  private async trim(): Promise<void> {
    try {
      // What is noted is about the topic as it was a moment ago; it may be another one by now.
      await this.view.refresh();
      const starts = await offsetsAt(this.view, allPartitions(this.view), EARLIEST);
      for (const [partition, start] of starts) await this.trimPartition(partition, start);
    } catch (error) {
      // Housekeeping: without the right to delete records everything works, it only takes more room.
      this.warn(
        `Removed dead letters stay in ${this.view.topic}: ${toBusError(error, 'delete them').message}`,
      );
    }
  }

  private async trimPartition(partition: number, start: string): Promise<void> {
    const ids: string[] = [];
    let offset = start;
    for (let id = idOf({ partition, offset }); this.state.isRemoved(id); id = idOf({ partition, offset })) {
      ids.push(id);
      offset = offsetAfter(offset);
    }
    if (ids.length === 0) return;
    const leader = await this.view.leaderOf(partition);
    await leader.deleteRecords({ topics: [{ topic: this.view.topic, partitions: [{ partition, offset }] }] });
    await this.state.forget(ids);
  }
}

interface PlacedRecord {
  readonly partition: number;
  readonly record: InboundRecord;
}

function timeOf({ record }: PlacedRecord): number {
  return record.timestampMs ?? 0;
}

function idOf({ partition, offset }: Place): string {
  return `${partition}-${offset}`;
}

function placeOf(id: string): Place {
  const [partition = '0', offset = '0'] = id.split('-');
  return /^\d+-\d+$/.test(id) ? { partition: Number(partition), offset } : { partition: 0, offset: '-1' };
}

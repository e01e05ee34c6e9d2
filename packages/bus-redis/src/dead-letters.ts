import {
  type DeadLetterStore,
  mergeOrdered,
  type OutboundRecord,
  type StoredDeadLetter,
} from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { comparePositions, fieldsOf, type RawEntry, recordOf } from './entry.js';
import { toBusError } from './errors.js';
import { replay } from './scripts.js';
import type { Topology } from './topology.js';

/** Where a dead letter lies. Its id is `partition/position`; on a single server all lie together, in partition 0. */
interface Place {
  readonly partition: number;
  readonly position: string;
}

interface PlacedLetter extends Place {
  readonly letter: StoredDeadLetter;
}

/** The dead letters of all partitions, as one queue. */
export class RedisDeadLetters implements DeadLetterStore {
  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
  ) {}

  async *read({
    after,
    pageSize,
  }: {
    readonly after: string | undefined;
    readonly pageSize: number;
  }): AsyncGenerator<readonly StoredDeadLetter[]> {
    const cursor = after === undefined ? undefined : placeOf(after);
    let page: StoredDeadLetter[] = [];
    try {
      const ends = await this.ends();
      const sources = [...ends].map(([partition, end]) => this.partition(partition, end, cursor, pageSize));
      for await (const { letter } of mergeOrdered(sources, comparePlaces)) {
        page.push(letter);
        if (page.length < pageSize) continue;
        yield page;
        page = [];
      }
    } catch (error) {
      throw toBusError(error, 'read the dead letters');
    }
    if (page.length > 0) yield page;
  }

  async replay({ id }: StoredDeadLetter, _group: string, record: OutboundRecord): Promise<boolean> {
    const { keys } = this.topology;
    const { partition, position } = placeOf(id);
    const letters = keys.deadLettersOf(partition);
    const stream = keys.streamOf(record.partition);
    const isTogether = this.topology.together([partition, record.partition]).length === 1;
    try {
      if (isTogether || partition === record.partition) {
        const answer = await replay.run(this.commands, [letters, stream], [position, ...fieldsOf(record)]);
        return answer === 1;
      }
      // The key lies elsewhere since partitions were added. Twice, if the process dies between the two, is better than never.
      if ((await this.commands.xrange(letters, position, position)).length === 0) return false;
      await this.commands.xadd(stream, '*', ...fieldsOf(record));
      return (await this.commands.xdel(letters, position)) === 1;
    } catch (error) {
      throw toBusError(error, `replay the dead letter ${id}`);
    }
  }

  async remove(letters: readonly StoredDeadLetter[]): Promise<number> {
    const positions = new Map<number, string[]>();
    for (const { id } of letters) {
      const { partition, position } = placeOf(id);
      positions.set(partition, [...(positions.get(partition) ?? []), position]);
    }
    try {
      const counts = await Promise.all(
        [...positions].map(([partition, list]) =>
          this.commands.xdel(this.topology.keys.deadLettersOf(partition), ...list),
        ),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      throw toBusError(error, `remove ${letters.length} dead letters`);
    }
  }

  /** The last position of every stream of dead letters, as it stands now. */
  private async ends(): Promise<ReadonlyMap<number, string>> {
    const { all, keys } = this.topology;
    const streams = new Map(all.map((partition) => [keys.deadLettersOf(partition), partition] as const));
    const ends = new Map<number, string>();
    await Promise.all(
      // On a single server the first partition stands for all: they share the stream.
      [...streams].map(async ([stream]) => {
        const partition = all.find((each) => keys.deadLettersOf(each) === stream) ?? 0;
        const [last] = await this.commands.xrevrange(stream, '+', '-', 'COUNT', 1);
        if (last) ends.set(partition, last[0]);
      }),
    );
    return ends;
  }

  private async *partition(
    partition: number,
    end: string,
    cursor: Place | undefined,
    pageSize: number,
  ): AsyncGenerator<PlacedLetter> {
    const stream = this.topology.keys.deadLettersOf(partition);
    for (let from = startBehind(cursor, partition); ; ) {
      const entries = (await this.commands.xrangeBuffer(
        stream,
        from,
        end,
        'COUNT',
        pageSize,
      )) as unknown as readonly RawEntry[];
      for (const entry of entries) {
        const position = entry[0].toString();
        const letter = { id: idOf({ partition, position }), record: recordOf(entry, true) };
        yield { partition, position, letter };
        from = `(${position}`;
      }
      if (entries.length < pageSize) return;
    }
  }
}

/** By position, as far as servers agree on the time; then by partition. */
function comparePlaces(a: Place, b: Place): number {
  return comparePositions(a.position, b.position) || a.partition - b.partition;
}

/** Where the letters begin that `comparePlaces` puts behind the cursor. */
function startBehind(cursor: Place | undefined, partition: number): string {
  if (!cursor) return '-';
  return partition <= cursor.partition ? `(${cursor.position}` : cursor.position;
}

function idOf({ partition, position }: Place): string {
  return `${partition}/${position}`;
}

function placeOf(id: string): Place {
  const [, partition, position] = /^(\d{1,4})\/(\d{1,20}-\d{1,20})$/.exec(id) ?? [];
  return { partition: Number(partition ?? 0), position: position ?? '0-0' };
}

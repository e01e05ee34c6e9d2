import {
  type DeadLetterStore,
  mergeOrdered,
  type OutboundRecord,
  type StoredDeadLetter,
} from '@omnibus/core/transport';
import type { ChannelModel } from 'amqplib';
import { DeadLetterDesk } from './dead-letter-desk.js';
import { isMissing, toBusError } from './errors.js';
import { compareIds, letterRecordOf } from './letters.js';
import { groupNames } from './names.js';
import type { RabbitMQSettings } from './options.js';

/** Letters that are in memory at once. Each window is looked for from the front of the queue. */
const WINDOW = 1_000;

/** What the dead letters need of the connection. */
export interface DeadLetterHost {
  readonly settings: RabbitMQSettings;
  readonly partitions: number;
  model(): ChannelModel;
  /** All groups that there are. */
  groups(): Promise<readonly string[]>;
  writeReplay(queue: string, record: OutboundRecord): Promise<void>;
}

/** The dead letters, one queue per group. */
export class RabbitMQDeadLetters implements DeadLetterStore {
  private readonly desks = new Map<string, DeadLetterDesk>();

  constructor(private readonly host: DeadLetterHost) {}

  async *read({
    group,
    after,
    pageSize,
  }: Parameters<DeadLetterStore['read']>[0]): AsyncGenerator<readonly StoredDeadLetter[]> {
    const groups = group === undefined ? await this.host.groups() : [group];
    let page: StoredDeadLetter[] = [];
    for await (const letter of mergeOrdered(
      groups.map((each) => this.letters(each, after)),
      olderFirst,
    )) {
      page.push(letter);
      if (page.length < pageSize) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  async replay(letter: StoredDeadLetter, group: string, record: OutboundRecord): Promise<boolean> {
    try {
      return await this.desk(group).use(async (session) => {
        if (!session.reserve(letter.id)) return false;
        try {
          await this.host.writeReplay(this.names(group).queues[record.partition] as string, record);
        } catch (error) {
          session.putBack(letter.id);
          throw error;
        }
        await session.remove([letter.id]);
        return true;
      });
    } catch (error) {
      if (isMissing(error)) return false;
      throw toBusError(error, `replay the dead letter ${letter.id}`);
    }
  }

  async remove(letters: readonly StoredDeadLetter[], group: string): Promise<number> {
    try {
      return await this.desk(group).use(async (session) => {
        const ids = letters.map(({ id }) => id).filter((id) => session.reserve(id));
        await session.remove(ids);
        return ids.length;
      });
    } catch (error) {
      if (isMissing(error)) return 0;
      throw toBusError(error, `remove ${letters.length} dead letters`);
    }
  }

  /** Those of one group, in the order of its queue; as many as there are now. */
  private async *letters(group: string, after: string | undefined): AsyncGenerator<StoredDeadLetter> {
    const desk = this.desk(group);
    const passed = new Set(after === undefined ? [] : await this.upTo(desk, after));
    for (let left: number | undefined; left === undefined || left > 0; ) {
      const { letters, total } = await this.window(desk, passed);
      left ??= total - passed.size;
      letters.splice(left);
      if (letters.length === 0) return;
      left -= letters.length;
      for (const { id } of letters) passed.add(id);
      yield* letters;
    }
  }

  /** The first letters that were not passed yet, and how many there are in all. */
  private async window(
    desk: DeadLetterDesk,
    passed: ReadonlySet<string>,
  ): Promise<{ letters: StoredDeadLetter[]; total: number }> {
    const letters: StoredDeadLetter[] = [];
    let total = 0;
    await this.browse(desk, (id, message) => {
      total += 1;
      if (letters.length < WINDOW && !passed.has(id)) letters.push({ id, record: letterRecordOf(message) });
    });
    return { letters, total };
  }

  /** Ids of the letters up to this one. Where it is gone, of those that are not younger. */
  private async upTo(desk: DeadLetterDesk, after: string): Promise<string[]> {
    const ids: string[] = [];
    await this.browse(desk, (id) => ids.push(id));
    const place = ids.indexOf(after);
    return place === -1 ? ids.filter((id) => compareIds(id, after) <= 0) : ids.slice(0, place + 1);
  }

  private async browse(desk: DeadLetterDesk, seen: Parameters<DeadLetterDesk['browse']>[0]): Promise<void> {
    try {
      await desk.browse(seen);
    } catch (error) {
      // A group that does not exist has no dead letters.
      if (!isMissing(error)) throw toBusError(error, 'read the dead letters');
    }
  }

  private desk(group: string): DeadLetterDesk {
    const known = this.desks.get(group);
    if (known) return known;
    const { deadLetters: queue, deadLettersLock: lock } = this.names(group);
    const { requestTimeoutMs: timeoutMs } = this.host.settings;
    const desk = new DeadLetterDesk(() => this.host.model(), { queue, lock, timeoutMs });
    this.desks.set(group, desk);
    return desk;
  }

  private names(group: string): ReturnType<typeof groupNames> {
    return groupNames(this.host.settings.exchange, group, this.host.partitions);
  }
}

function olderFirst(a: StoredDeadLetter, b: StoredDeadLetter): number {
  return compareIds(a.id, b.id);
}

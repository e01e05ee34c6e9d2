import type { InboundRecord } from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import { readDirect } from './fetch-direct.js';
import { LATEST, offsetsAt } from './offsets.js';
import type { Publisher } from './publisher.js';
import type { TopicView } from './topic-view.js';

/** Why a dead letter no longer counts. */
export type Removal = 'replayed' | 'purged';

/** What is noted about a dead letter. */
interface Note {
  readonly removal: Removal;
  readonly group: string;
  readonly at: string;
  readonly topicId: string | undefined;
}

const PARTITION = 0;

/**
 * Which dead letters were replayed or purged. Kafka cannot take a record out of a topic, so this is noted in a topic of
 * its own, compacted, one record per dead letter under its id. It lies apart from the dead letters because tools that
 * list those must find nothing else among them.
 */
export class DeadLetterState {
  /** By the id of the dead letter the id of the topic that it lay in, where the broker gives topics one. */
  private readonly removed = new Map<string, string | undefined>();
  private readTo = '0';
  private topicId: string | undefined;

  constructor(
    private readonly view: TopicView,
    /** The topic of the dead letters. A note about one that was deleted since means none of those that are there now. */
    private readonly letters: TopicView,
    private readonly publisher: Publisher,
    /** Makes sure that the topic exists. */
    private readonly ensureTopic: () => Promise<void>,
  ) {}

  isRemoved(id: string): boolean {
    if (!this.removed.has(id)) return false;
    const { topicId } = this.letters;
    const noted = this.removed.get(id);
    return noted === undefined || topicId === undefined || noted === topicId;
  }

  /** Reads what others noted since the last time. Without the topic nothing was ever removed. */
  async refresh(): Promise<void> {
    if (!(await this.exists())) return;
    if (this.view.topicId !== this.topicId) {
      // The notes were deleted together with their topic.
      this.removed.clear();
      this.readTo = '0';
      this.topicId = this.view.topicId;
    }
    try {
      await this.readOn();
    } catch (error) {
      throw toBusError(error, `read ${this.view.topic}`);
    }
  }

  async note(ids: readonly string[], removal: Removal, group: string): Promise<void> {
    const { topicId } = this.letters;
    const note: Note = { removal, group, at: new Date().toISOString(), topicId };
    await this.write(ids, Buffer.from(JSON.stringify(note)));
    for (const id of ids) this.removed.set(id, topicId);
  }

  /** The dead letters themselves are gone: their notes may go as well. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.write(ids, null);
    for (const id of ids) this.removed.delete(id);
  }

  private async readOn(): Promise<void> {
    const end = (await offsetsAt(this.view, [PARTITION], LATEST)).get(PARTITION) ?? '0';
    // Compaction leaves gaps, and what is older than the oldest is of no interest.
    for await (const notes of readDirect(this.view, {
      partition: PARTITION,
      from: this.readTo,
      to: end,
      onDeleted: 'skip',
    })) {
      for (const note of notes) this.apply(note);
    }
    this.readTo = end;
  }

  private async exists(): Promise<boolean> {
    try {
      await this.view.refresh();
      return true;
    } catch (error) {
      if ((error as { readonly type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
      throw error;
    }
  }

  private apply({ key: id = '', value }: InboundRecord): void {
    if (value === null) this.removed.delete(id);
    else this.removed.set(id, topicIdIn(value));
  }

  private async write(ids: readonly string[], value: Buffer | null): Promise<void> {
    if (ids.length === 0) return;
    await this.ensureTopic();
    const timestampMs = Date.now();
    const failures = await this.publisher.send(
      ids.map((key) => ({ partition: PARTITION, key, value, headers: {}, timestampMs })),
    );
    for (const error of failures.values()) throw error;
  }
}

function topicIdIn(note: Uint8Array): string | undefined {
  try {
    const { topicId } = JSON.parse(Buffer.from(note).toString('utf8')) as Partial<Note>;
    return typeof topicId === 'string' ? topicId : undefined;
  } catch {
    return undefined;
  }
}

import type { InboundRecord } from '@omnibus/core/transport';
import { readDirect } from './fetch-direct.js';
import { LATEST, offsetsAt } from './offsets.js';
import type { Publisher } from './publisher.js';
import type { TopicView } from './topic-view.js';

/** Why a dead letter no longer counts. */
export type Removal = 'replayed' | 'purged';

const PARTITION = 0;

/**
 * Which dead letters were replayed or purged. Kafka cannot take a record out of a topic, so this is noted in a topic of
 * its own, compacted, one record per dead letter under its id. It lies apart from the dead letters because tools that
 * list those must find nothing else among them.
 */
export class DeadLetterState {
  private readonly removed = new Set<string>();
  private readTo = '0';

  constructor(
    private readonly view: TopicView,
    private readonly publisher: Publisher,
    /** Makes sure that the topic exists. */
    private readonly ensureTopic: () => Promise<void>,
  ) {}

  isRemoved(id: string): boolean {
    return this.removed.has(id);
  }

  /** Reads what others noted since the last time. Without the topic nothing was ever removed. */
  async refresh(): Promise<void> {
    if (!(await this.exists())) return;
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

  async note(ids: readonly string[], removal: Removal, group: string): Promise<void> {
    const value = Buffer.from(JSON.stringify({ removal, group, at: new Date().toISOString() }));
    await this.write(ids, value);
    for (const id of ids) this.removed.add(id);
  }

  /** The dead letters themselves are gone: their notes may go as well. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.write(ids, null);
    for (const id of ids) this.removed.delete(id);
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
    else this.removed.add(id);
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

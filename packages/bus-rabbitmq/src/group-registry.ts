import type { ChannelModel } from 'amqplib';
import { isMissing, toBusError } from './errors.js';
import { withLock } from './lock.js';
import { QueueHold } from './queue-hold.js';

/** Where the names of the groups are kept. */
export interface RegistryPlace {
  readonly queue: string;
  readonly lock: string;
  readonly timeoutMs: number;
}

/**
 * The names of all groups, one message each: AMQP does not tell which queues there are. One process looks at a time, so
 * that no name is missed or written twice.
 */
export class GroupRegistry {
  private readonly known = new Set<string>();

  constructor(
    private readonly model: () => ChannelModel,
    private readonly place: RegistryPlace,
    private readonly write: (queue: string, group: string) => Promise<void>,
  ) {}

  async add(group: string): Promise<void> {
    if (this.known.has(group)) return;
    await this.look(async (tags) => {
      if (!tags.has(group)) await this.write(this.place.queue, group);
    });
    this.known.add(group);
  }

  async remove(group: string): Promise<void> {
    this.known.delete(group);
    await this.look((tags, hold) => {
      const tag = tags.get(group);
      if (tag !== undefined) hold.remove(tag);
    });
  }

  async list(): Promise<string[]> {
    let groups: string[] = [];
    try {
      await this.look((tags) => {
        groups = [...tags.keys()];
      });
    } catch (error) {
      // No group was ever made.
      if (!isMissing(error)) throw toBusError(error, 'list the groups');
    }
    return groups;
  }

  private async look(
    work: (tags: ReadonlyMap<string, number>, hold: QueueHold) => Promise<void> | void,
  ): Promise<void> {
    const model = this.model();
    const { queue, lock, timeoutMs } = this.place;
    await withLock(model, lock, timeoutMs, async () => {
      const tags = new Map<string, number>();
      const hold = await QueueHold.open(model, queue, timeoutMs, ({ content, fields }) =>
        tags.set(content.toString(), fields.deliveryTag),
      );
      try {
        await work(tags, hold);
      } finally {
        await hold.close(model);
      }
    });
  }
}

import { isBusError, type PublishError } from '../../src/errors.js';
import type { Model } from './model.js';

/** What one life of one bus published, held against what is in the log. */
export class PublishHistory {
  /** Calls that have no answer yet. */
  pending = 0;
  private readonly order = new Map<string, { readonly key: string; readonly turn: number }>();
  private readonly stored = new Set<string>();
  private readonly newest = new Map<string, number>();

  constructor(private readonly model: Model) {}

  /** Calls `publish`, and looks at its answer. */
  call(events: readonly { readonly id: string; readonly key: string }[], publish: () => Promise<void>): void {
    for (const { id, key } of events) this.order.set(id, { key, turn: this.order.size });
    this.pending += 1;
    publish()
      .then(
        () => this.confirmed(events.map(({ id }) => id)),
        (error: unknown) =>
          this.refused(
            error,
            events.map(({ id }) => id),
          ),
      )
      .finally(() => {
        this.pending -= 1;
      });
  }

  /** An event of this bus is in the log, perhaps not for the first time. */
  appended(id: string): void {
    const published = this.order.get(id);
    if (!published || this.stored.has(id)) return;
    this.stored.add(id);
    const { key, turn } = published;
    if ((this.newest.get(key) ?? -1) > turn)
      this.model.violated(`${id} of key ${key} was overtaken on its way into the log`);
    this.newest.set(key, turn);
  }

  private confirmed(ids: readonly string[]): void {
    this.model.count('publish confirmed');
    for (const id of ids)
      if (!this.stored.has(id)) this.model.violated(`${id} was confirmed and is not in the log`);
  }

  private refused(error: unknown, ids: readonly string[]): void {
    this.model.count('publish refused');
    if (!isBusError(error)) return this.model.violated(`publish rejected with ${String(error)}`);
    const { failures } = error as Partial<PublishError>;
    if (!failures) return;
    const failed = new Set(failures.map(({ eventId }) => eventId));
    this.confirmed(ids.filter((id) => !failed.has(id)));
  }
}

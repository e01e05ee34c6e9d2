import { committedOf, type GroupCoordinator } from './groups.js';
import { EARLIEST, offsetsAt } from './offsets.js';
import type { TopicView } from './topic-view.js';

/** What a new owner needs to know. */
export interface TakeOver {
  /** First offset to handle, per partition. */
  readonly starts: ReadonlyMap<number, string>;
  /** Of all partitions of the group, where there is one. */
  readonly journals: ReadonlyMap<number, string>;
}

/** Where the group stands in these partitions, and what its members wrote down. */
export async function readTakeOver(
  coordinator: GroupCoordinator,
  view: TopicView,
  partitions: readonly number[],
  /** Positions that the group could not be given before this member joined. */
  pinned: ReadonlyMap<number, string>,
): Promise<TakeOver> {
  if (view.partitions <= Math.max(...partitions)) await view.refresh();
  const starts = new Map(pinned);
  const journals = new Map<number, string>();
  for (const { partition, offset, metadata } of await committedOf(coordinator, view)) {
    if (!offset.startsWith('-')) starts.set(partition, offset);
    if (metadata) journals.set(partition, metadata);
  }
  // Groups are given positions before anybody joins; a partition without one is newer than the group.
  const unknown = partitions.filter((partition) => !starts.has(partition));
  for (const [partition, offset] of await offsetsAt(view, unknown, EARLIEST)) starts.set(partition, offset);
  return { starts, journals };
}

import type { Client, Consumer, ConsumerSpec } from './client.js';
import { batchesOf } from './events.js';
import { type Effort, effortOf } from './measure.js';

const FILL_CALL_SIZE = 1_000;

/** Publishes `count` events, which are then a backlog. */
export async function fill(client: Client, count: number): Promise<void> {
  const publisher = await client.openPublisher();
  for (const batch of batchesOf(count, FILL_CALL_SIZE)) await publisher.publish(batch);
  await publisher.close();
}

/** Publishes `count` events for one group, which is made ahead. */
export async function fillFor(client: Client, count: number, group: string): Promise<void> {
  await client.createGroup(group);
  await fill(client, count);
}

/** A consumer that has handled everything, and still consumes. */
export interface Drained {
  readonly consumer: Consumer;
  /** From the moment when the group was joined until the last event was handled. */
  readonly effort: Effort;
}

/** Handles `count` events. `work` is what a handler does, if it does anything. */
export async function handleAll(
  client: Client,
  count: number,
  group: Omit<ConsumerSpec, 'handle'>,
  work?: () => Promise<void>,
): Promise<Drained> {
  let handled = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const done = (): void => {
    handled += 1;
    if (handled === count) finish();
  };
  const handle = work ? (): Promise<void> => work().then(done) : done;
  const consumer = await client.openConsumer({ ...group, handle });
  return { consumer, effort: await effortOf(count, () => finished) };
}

import type { DomainEvent, EventBus } from '@omnibus/core';

const EVENTS_PER_CALL = 500;

/** Publishes in calls of some hundred; `onPublished` is told how many are confirmed. */
export async function publishAll(
  bus: EventBus,
  events: readonly DomainEvent[],
  signal: AbortSignal,
  onPublished: (confirmed: number) => void,
): Promise<void> {
  for (let from = 0; from < events.length; from += EVENTS_PER_CALL) {
    signal.throwIfAborted();
    const batch = events.slice(from, from + EVENTS_PER_CALL);
    await bus.publish(batch);
    onPublished(from + batch.length);
  }
}

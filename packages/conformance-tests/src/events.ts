import { createEvent, type DomainEvent } from '@omnibus/core';

import type { Behaviour } from './behaviour.js';

/** Which events to make. */
export interface EventsRequest {
  /** How many keys, or their names. @default 1 */
  readonly keys?: number | readonly string[];
  /** How many events of each key. @default 1 */
  readonly perKey?: number;
  /** @default 'Counted' */
  readonly type?: string;
  /** Sequence (aggregate version) of the first event of each key. @default 1 */
  readonly from?: number;
  /** Fields of `data` besides `n`. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What handlers do with it; may differ from event to event. */
  readonly behaviour?: Behaviour | ((key: string, sequence: number) => Behaviour | undefined);
}

/** The type of events that a test makes when the type does not matter. */
export const DEFAULT_TYPE = 'Counted';

/**
 * Events whose aggregate id is the key and whose aggregate version is the sequence, so that every consumer's history
 * can be checked without a word about it in the payload. Keys take turns: `a#1 b#1 a#2 b#2`.
 */
export function makeEvents(request: EventsRequest = {}): DomainEvent[] {
  const { perKey = 1, type = DEFAULT_TYPE, from = 1 } = request;
  const keys = typeof request.keys === 'object' ? request.keys : keyNames(request.keys ?? 1);
  const events: DomainEvent[] = [];
  for (let n = 0; n < perKey; n += 1) {
    for (const key of keys) {
      const sequence = from + n;
      const asked =
        typeof request.behaviour === 'function' ? request.behaviour(key, sequence) : request.behaviour;
      events.push(
        createEvent({
          eventType: type,
          aggregateId: key,
          aggregateType: 'Counter',
          aggregateVersion: sequence,
          data: { n: sequence, ...request.data, ...(asked ? { behaviour: asked } : {}) },
        }),
      );
    }
  }
  return events;
}

/** One event. */
export function makeEvent(
  request: Omit<EventsRequest, 'keys' | 'perKey'> & { readonly key?: string } = {},
): DomainEvent {
  const { key = 'key-0', ...rest } = request;
  const [event] = makeEvents({ ...rest, keys: [key] });
  if (!event) throw new Error('unreachable: one key makes one event');
  return event;
}

function keyNames(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `key-${n}`);
}

import { type EventBus, isBusError } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { pause } from '../poll.js';

/** What one of several publishers sends. */
export interface PublisherShare {
  /** Number of the publisher: names it and its keys. */
  readonly n: number;
  readonly events: number;
  readonly keys: number;
  /** Events in one call. */
  readonly batch: number;
  /** Called after each call: how many events it confirmed, and how many of them had been sent before. */
  readonly onConfirmed: (count: number, repeated: number) => void;
}

const REPUBLISH_EVERY_MS = 50;

/** Publishes a share of the events in order, each call again and again until it is confirmed. */
export async function publishAll(t: CaseContext, bus: EventBus, share: PublisherShare): Promise<void> {
  const { n, batch, onConfirmed } = share;
  const keys = Array.from({ length: share.keys }, (_, key) => `publisher-${n}-key-${key}`);
  const events = makeEvents({ keys, perKey: share.events / keys.length });
  for (let at = 0; at < events.length; at += batch) {
    const call = events.slice(at, at + batch);
    for (let tries = 1; ; tries += 1) {
      try {
        await t.publish(bus, call, { publisher: `publisher-${n}` });
        onConfirmed(call.length, (tries - 1) * call.length);
        break;
      } catch (error) {
        // The test is over.
        if (isBusError(error) && error.code === 'BUS_CLOSED') throw error;
        // The history has the reason. Sent again with the same ids, it stays one event.
        await pause(REPUBLISH_EVERY_MS);
      }
    }
  }
}

import assert from 'node:assert/strict';

import type { DomainEvent, EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import { makeEvent, makeEvents } from '../events.js';
import type { DeliveryRecord } from '../history.js';
import { pause } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { gate, median } from './support.js';

const BLOCKED_MS = 2_000;
const INDEPENDENT_MS = 200;

/**
 * Of each key that is not blocked. What waits for the blocked key waits as long as that is blocked, round by round, and so
 * shows at the median of its key; a machine that stands still for a moment delays one round, of one group or the other.
 */
function delaysByKey(
  deliveries: readonly DeliveryRecord[],
  publishedAt: ReadonlyMap<string, number>,
): readonly (readonly number[])[] {
  const byKey = new Map<string, number[]>();
  for (const { key, eventId, startedAtMs } of deliveries) {
    const publishedAtMs = publishedAt.get(eventId);
    if (publishedAtMs === undefined) continue;
    const delays = byKey.get(key) ?? [];
    byKey.set(key, delays);
    delays.push(startedAtMs - publishedAtMs);
  }
  return [...byKey.values()];
}

/** OR04: a key that stands still does not make another wait. */
export const keyIndependenceCases: readonly ConformanceCase[] = [
  {
    id: 'OR04',
    async run(t) {
      const blocked = gate();
      const publishedAt = new Map<string, number>();
      // What the machine adds is added to both: the same load, and no key blocked in one of them.
      const publishers = new Map<string, EventBus>();
      for (const group of ['beside', 'alone']) {
        const namespace = t.newNamespace();
        const handler = (event: DomainEvent) =>
          event.aggregateId === 'blocked' ? blocked.opened : undefined;
        await t.consumer({ namespace, group, handler });
        publishers.set(group, await t.bus({ namespace, group }));
      }
      const publishToBoth = async (from: number): Promise<void> => {
        for (const [group, publisher] of publishers) {
          const events = makeEvents({ keys: 20, from });
          for (const event of events) publishedAt.set(event.eventId, monotonicMs());
          await t.publish(publisher, events, { publisher: group });
        }
      };
      const bothHandled = async (rounds: number): Promise<void> => {
        for (const group of publishers.keys()) await t.untilHandled(20 * rounds, { group });
      };
      // Everything is warm before the clock counts.
      await publishToBoth(1);
      await bothHandled(1);
      publishedAt.clear();
      const publisher = publishers.get('beside') as EventBus;
      await t.publish(publisher, makeEvent({ key: 'blocked' }), { publisher: 'beside' });
      await t.until('the blocked key to be held', () =>
        t.history.deliveries.some((d) => d.key === 'blocked'),
      );
      const end = performance.now() + BLOCKED_MS;
      let rounds = 1;
      while (performance.now() < end) {
        rounds += 1;
        await publishToBoth(rounds);
        await pause(20);
      }
      await bothHandled(rounds);
      blocked.open();
      await t.untilHandled(20 * rounds + 1, { group: 'beside' });
      await t.untilQuiet(publisher);
      for (const group of publishers.keys()) t.expectClean({ group, meantFor: (p) => p.publisher === group });
      const worstMs = (group: string): number =>
        Math.max(...delaysByKey(t.history.of(group), publishedAt).map((delays) => median(delays)));
      const [besideMs, aloneMs] = [worstMs('beside'), worstMs('alone')];
      assert.ok(
        besideMs < Math.max(INDEPENDENT_MS, 2 * aloneMs),
        `events of another key were delayed by ${besideMs.toFixed(0)} ms (with no key blocked by ${aloneMs.toFixed(0)} ms)`,
      );
    },
  },
];

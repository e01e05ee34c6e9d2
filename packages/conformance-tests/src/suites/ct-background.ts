import assert from 'node:assert/strict';

import type { PublishError } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { median, statusesOf } from './support.js';

const HAND_OFF_MS = 10;
const PENDING_MS = 300;

/** CT06: publishing in the background is quick, bounded and never silent. */
export const backgroundCases: readonly ConformanceCase[] = [
  {
    id: 'CT06',
    title: 'a background publish returns at hand-off while the broker is paused, and arrives afterwards',
    requires: ['faults.pause', 'faults.resume'],
    async run(t) {
      const { bus } = await t.consumer();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvent());
      await t.untilHandled(1);
      await t.faults.pause();
      t.onCleanup(() => t.faults.resume());
      const tookMs: number[] = [];
      for (const event of makeEvents({ perKey: 9, from: 2 })) {
        const startedAtMs = performance.now();
        await within('the hand-off', t.publish(publisher, event, { background: true }), PENDING_MS);
        tookMs.push(performance.now() - startedAtMs);
      }
      // The middle of several, so that a pause of the garbage collector is not taken for the bus.
      assert.ok(
        median(tookMs) < HAND_OFF_MS,
        `hand-offs took ${tookMs.map((ms) => ms.toFixed(1)).join(', ')} ms`,
      );
      await t.faults.resume();
      await t.untilHandled(10, { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'CT06',
    title: 'a background publish that cannot arrive is told once, by status and in stats',
    requires: ['faults.throughProxy'],
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const bus = await t.bus({ through: way, overrides: { publish: { timeoutMs: 500 } } });
      await t.publish(bus, makeEvent());
      await way.network.refuse();
      await way.network.cut();
      const statuses = statusesOf(bus);
      const lost = makeEvent({ from: 2 });
      await bus.publish(lost, { background: true });
      const told = (): number =>
        statuses.filter(
          (s) =>
            s.type === 'error' &&
            (s.error as Partial<PublishError>).failures?.some((f) => f.eventId === lost.eventId),
        ).length;
      await t.until('the error to be told', () => told() > 0, { withinMs: 2 * t.budget.recoverMs });
      assert.equal(told(), 1);
      assert.equal(bus.stats.publishErrors, 1);
      await way.network.heal();
      await t.until(
        'the bus to publish again',
        () => t.publish(bus, makeEvent({ from: 3 })).then(() => true),
        {
          withinMs: t.budget.recoverMs,
        },
      );
      assert.equal(told(), 1);
    },
  },
  {
    id: 'CT06',
    title: 'above the bound a background publish waits for its own event; nothing is dropped',
    requires: ['faults.pause', 'faults.resume'],
    async run(t) {
      const { bus } = await t.consumer();
      const publisher = await t.bus({ overrides: { publish: { maxBackgroundPublishes: 5 } } });
      await t.publish(publisher, makeEvent());
      await t.untilHandled(1);
      await t.faults.pause();
      t.onCleanup(() => t.faults.resume());
      const events = makeEvents({ perKey: 8, from: 2 });
      for (const event of events.slice(0, 5)) {
        await within('the hand-off', t.publish(publisher, event, { background: true }), t.budget.deliverMs);
      }
      let settled = 0;
      const waiting = events.slice(5).map((event) =>
        t.publish(publisher, event, { background: true }).then(() => {
          settled += 1;
        }),
      );
      await staysTrue('publishes above the bound wait', () => settled === 0, PENDING_MS);
      await t.faults.resume();
      await within('the waiting publishes', Promise.all(waiting), t.budget.recoverMs);
      await t.untilHandled(9, { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'CT06',
    title: 'background publishes from inside a handler do not deadlock at the bound',
    async run(t) {
      const overrides = { concurrency: 1, publish: { maxBackgroundPublishes: 1 } };
      const { bus } = await t.consumer({
        overrides,
        handler: async (event, context) => {
          if (event.eventType !== 'Cause') return;
          for (const effect of makeEvents({
            keys: [event.aggregateId],
            perKey: 10,
            type: 'Effect',
            from: 2,
          })) {
            await t.publish(context, effect, { background: true });
          }
        },
      });
      await t.publish(bus, makeEvents({ keys: 5, type: 'Cause' }));
      await t.untilHandled(55);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
];

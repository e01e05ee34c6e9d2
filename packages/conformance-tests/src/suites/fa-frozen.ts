import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import { makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { mortalConsumer } from './support-members.js';

const KEYS = 40;
const PER_KEY = 8;
const MAX_IN_FLIGHT = 100;

/** FA09: a member that was taken for dead does no harm when it comes back; one that is only busy is left alone. */
export const frozenCases: readonly ConformanceCase[] = [
  {
    id: 'FA09',
    title: 'others take over from a frozen consumer, and what it says after its thaw does not count',
    timeoutMs: 180_000,
    async run(t) {
      const overrides = { maxInFlight: MAX_IN_FLIGHT, concurrency: 10 };
      const first = await mortalConsumer(t, { name: 'first', overrides });
      await mortalConsumer(t, { name: 'second', overrides });
      const publisher = await t.bus();
      const events = makeEvents({ keys: KEYS, perKey: PER_KEY, behaviour: { workMs: 20 } });
      await t.publish(publisher, events);
      const ofFirst = () => t.history.of('group', { consumer: 'first' });
      await t.until('the first to be at work', () => ofFirst().filter((d) => d.outcome === 'ok').length >= 5);
      await t.until(
        'the first to be in the middle of it',
        () => ofFirst().some((d) => d.outcome === 'running'),
        { everyMs: 1 },
      );
      await first.freeze();
      const frozenAtMs = monotonicMs();
      await t.untilHandled(KEYS * PER_KEY, { withinMs: t.budget.takeoverMs, everyMs: 20 });
      await t.until('no lag to be left', async () => (await publisher.lag()).total === 0, {
        withinMs: t.budget.takeoverMs,
        everyMs: 50,
      });
      const thawedAtMs = monotonicMs();
      await first.thaw();
      await t.until('the first to have nothing in hand', async () => (await first.stats()).inFlight === 0, {
        withinMs: t.budget.takeoverMs,
        everyMs: 50,
      });
      // Both are members again: what comes now is shared as before.
      await t.publish(publisher, makeEvents({ keys: KEYS, from: PER_KEY + 1 }));
      await t.untilHandled(KEYS * (PER_KEY + 1), { withinMs: t.budget.takeoverMs, everyMs: 20 });
      await t.until('no lag to be left', async () => (await publisher.lag()).total === 0, {
        withinMs: t.budget.deliverMs,
        everyMs: 50,
      });
      t.expectClean({ tolerate: ['duplicated', 'overlapping'] });
      const done = new Set(events.map(({ eventId }) => eventId));
      const startedAgain = ofFirst().filter((d) => d.startedAtMs >= thawedAtMs && done.has(d.eventId));
      assert.deepEqual(startedAgain, [], 'started after the thaw, though others had handled them long ago');
      const taken = new Set(
        ofFirst()
          .filter((d) => d.startedAtMs <= frozenAtMs)
          .map((d) => d.eventId),
      );
      const twice = t.history.of('group', { consumer: 'second' }).filter((d) => taken.has(d.eventId)).length;
      assert.ok(twice <= MAX_IN_FLIGHT, `${twice} events were handled by both`);
      const legitimate = ofFirst().filter(
        (d) => d.outcome === 'ok' && ((d.endedAtMs ?? 0) <= frozenAtMs || d.startedAtMs >= thawedAtMs),
      ).length;
      const counted = await first.stats();
      const recorded = counted.eventsProcessedSuccess - counted.fencedSettlements;
      assert.ok(
        recorded <= legitimate,
        `the frozen consumer recorded ${recorded} successes; ${legitimate} were its own`,
      );
    },
  },
  {
    id: 'FA09',
    title: 'a handler that takes longer than the lease, and is alive, is not disturbed',
    timeoutMs: 120_000,
    async run(t) {
      const workMs = Math.round(1.25 * t.budget.leaseMs);
      const first = await t.consumer({ name: 'first' });
      await t.consumer({ name: 'second' });
      await t.publish(first.bus, makeEvents({ keys: 6, behaviour: { workMs } }));
      await t.untilHandled(6, { withinMs: workMs + t.budget.deliverMs });
      await t.untilQuiet(first.bus);
      assert.equal(t.history.of('group').length, 6);
      assert.ok(t.history.of('group').every((d) => d.attempt === 1 && !d.redelivered));
      t.expectClean();
    },
  },
];

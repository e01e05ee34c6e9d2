import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import { type CaseContext, type Consumer, GROUP } from '../context.js';
import { makeEvents } from '../events.js';
import { pause } from '../poll.js';
import { recordedHandler } from '../recorder.js';
import { type Suite, suite } from '../registry.js';
import { crashCases } from './cc-crash.js';
import { untilAtWork } from './support-members.js';

const EVENTS = 300;
const KEYS = 60;

/** Publishes until every consumer has had something to do: from then on the work is divided. */
async function untilAllHaveWork(t: CaseContext, consumers: readonly Consumer[]): Promise<void> {
  const publisher = await t.bus();
  let from = 1;
  await t.until(
    'every member to get work',
    async () => {
      await t.publish(publisher, makeEvents({ keys: KEYS, type: 'Warm', from }), { publisher: 'warm' });
      from += 1;
      return consumers.every(({ name }) => t.history.of(GROUP, { consumer: name }).length > 0);
    },
    { withinMs: t.budget.takeoverMs, everyMs: 100 },
  );
  await t.untilHandled((from - 1) * KEYS, { withinMs: t.budget.takeoverMs });
  await t.untilQuiet(
    consumers.map((c) => c.bus),
    { withinMs: t.budget.takeoverMs },
  );
}

/** Sequences after those that `untilAllHaveWork` used. */
const AFTER_WARM = 10_000;

/** How long a slow member's handler takes, and how long that of the others. */
const SLOW_MS = 100;
const FAST_MS = 5;

/** Members of a group share its work: all of it, each event once, and what one drops another takes. */
export const COMPETING: Suite = suite('CC', [
  {
    id: 'CC01',
    requires: ['competing'],
    async run(t) {
      const consumers = await Promise.all([t.consumer(), t.consumer(), t.consumer()]);
      await untilAllHaveWork(t, consumers);
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: KEYS, perKey: EVENTS / KEYS, from: AFTER_WARM }));
      await t.until('all events', () => ofTheRun(t).length >= EVENTS, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet(consumers.map((c) => c.bus));
      t.expectClean();
      const shares = consumers.map(({ name }) => new Set(ofTheRun(t, name).map((d) => d.eventId)));
      assert.equal(new Set(shares.flatMap((share) => [...share])).size, EVENTS, 'the union is not complete');
      assert.equal(
        shares.reduce((sum, share) => sum + share.size, 0),
        EVENTS,
        'an event went to two members',
      );
    },
  },
  {
    id: 'CC02',
    requires: ['competing'],
    async run(t) {
      const consumers = await Promise.all([t.consumer(), t.consumer(), t.consumer()]);
      await untilAllHaveWork(t, consumers);
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: KEYS, perKey: EVENTS / KEYS, from: AFTER_WARM }));
      await t.until('all events', () => ofTheRun(t).length >= EVENTS, { withinMs: t.budget.takeoverMs });
      t.expectClean();
      for (const { name } of consumers) {
        const share = ofTheRun(t, name).length;
        assert.ok(share >= EVENTS / 10, `${name} got ${share} of ${EVENTS} events`);
      }
    },
  },
  {
    id: 'CC03',
    title: 'slow member: the work of all takes at most twice as long as without it',
    requires: ['competing', 'sharing-by-event'],
    async run(t) {
      const withoutMs = await timeOfRun(t, [FAST_MS, FAST_MS]);
      const withMs = await timeOfRun(t, [FAST_MS, FAST_MS, SLOW_MS]);
      assert.ok(
        withMs <= 2 * withoutMs,
        `took ${withMs.toFixed(0)} ms with the slow member, ${withoutMs.toFixed(0)} ms without`,
      );
    },
  },
  {
    // Where members own partitions, the slow one's keys wait for it: giving them to another while one of its events
    // runs would break their order. What can be claimed, and is what matters, is that nobody else's work waits.
    id: 'CC03',
    title:
      'slow member: the work of the others takes at most twice as long as without it, and its own gets done',
    requires: ['competing', 'sharing-by-partition'],
    timeoutMs: 60_000,
    async run(t) {
      const withoutMs = await timeOfRun(t, [FAST_MS, FAST_MS]);
      const withMs = await timeOfRun(t, [FAST_MS, FAST_MS, SLOW_MS], 2);
      assert.ok(
        withMs <= 2 * withoutMs,
        `took ${withMs.toFixed(0)} ms beside the slow member, ${withoutMs.toFixed(0)} ms without`,
      );
    },
  },
  {
    id: 'CC04',
    requires: ['competing'],
    timeoutMs: 90_000,
    async run(t) {
      const handler = (): Promise<void> => pause(10);
      const first = await t.consumer({ handler });
      const second = await t.consumer({ handler });
      const publisher = await t.bus();
      let publishing = true;
      let total = 0;
      const load = (async () => {
        for (let from = 1; publishing; from += 1) {
          const events = makeEvents({ keys: KEYS, from });
          await t.publish(publisher, events);
          total += events.length;
          await pause(20);
        }
      })();
      await t.untilHandled(EVENTS, { withinMs: t.budget.takeoverMs });
      const joinedAtMs = monotonicMs();
      const third = await t.consumer({ handler });
      await t.until(
        'the newcomer to get work',
        () => t.history.of(GROUP, { consumer: third.name }).length > 0,
        {
          withinMs: t.budget.takeoverMs,
        },
      );
      const firstWorkMs =
        (t.history.of(GROUP, { consumer: third.name })[0]?.startedAtMs ?? joinedAtMs) - joinedAtMs;
      assert.ok(firstWorkMs <= t.budget.takeoverMs, `the newcomer waited ${firstWorkMs.toFixed(0)} ms`);
      await untilAtWork(t, first);
      const report = await first.bus.shutdown();
      assert.equal(report.abandonedHandlers, 0);
      const before = t.history.handled(GROUP);
      await t.until('the others to go on', () => t.history.handled(GROUP) > before + EVENTS, {
        withinMs: t.budget.takeoverMs,
      });
      publishing = false;
      await load;
      await t.untilHandled(total, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet([second.bus, third.bus], { withinMs: t.budget.takeoverMs });
      t.expectClean();
    },
  },
  ...crashCases,
  {
    id: 'CC06',
    requires: ['competing'],
    timeoutMs: 180_000,
    async run(t) {
      const groups = Array.from({ length: 5 }, (_, n) => `stress-${n}`);
      await Promise.all(groups.map((group) => stress(t, group)));
      // Only now: judging keeps the process busy, and consumers that are still at work would look dead to the broker.
      for (const group of groups) judgeStress(t, group);
    },
  },
]);

function ofTheRun(t: CaseContext, consumer?: string): readonly { eventId: string }[] {
  return t.history
    .of(GROUP, consumer === undefined ? {} : { consumer })
    .filter((d) => d.sequence >= AFTER_WARM);
}

/**
 * How long a group with one member per entry takes for `EVENTS` events, in a namespace of its own. `judge` first members
 * are timed, the others only have to finish.
 */
async function timeOfRun(
  t: CaseContext,
  handlerMs: readonly number[],
  judge: number = handlerMs.length,
): Promise<number> {
  const namespace = t.newNamespace();
  const group = `group-of-${handlerMs.length}`;
  const overrides = { concurrency: 1, maxInFlight: 1 };
  let warm = true;
  const consumers = await Promise.all(
    handlerMs.map((ms) =>
      t.consumer({ namespace, group, overrides, handler: () => (warm ? undefined : pause(ms)) }),
    ),
  );
  const publisher = await t.bus({ namespace });
  let from = 1;
  await t.until(
    'every member to get work',
    async () => {
      await t.publish(publisher, makeEvents({ keys: KEYS, from }), { publisher: group });
      from += 1;
      return consumers.every(({ name }) => t.history.of(group, { consumer: name }).length > 0);
    },
    { withinMs: t.budget.takeoverMs, everyMs: 100 },
  );
  await t.untilQuiet(
    consumers.map((c) => c.bus),
    { withinMs: t.budget.takeoverMs },
  );
  warm = false;
  const startedAtMs = monotonicMs();
  const first = from;
  const perKey = EVENTS / KEYS;
  await t.publish(publisher, makeEvents({ keys: KEYS, perKey, from: first }), { publisher: group });
  const total = (first - 1 + perKey) * KEYS;
  await t.untilHandled(total, { group, withinMs: t.budget.deliverMs + EVENTS * Math.max(...handlerMs) });
  t.expectClean({ group, meantFor: (p) => p.publisher === group });
  const judged = new Set(consumers.slice(0, judge).map((c) => c.name));
  const ends = t.history
    .of(group)
    .filter((d) => judged.has(d.consumer))
    .map((d) => d.endedAtMs ?? startedAtMs);
  for (const { bus } of consumers) await bus.shutdown();
  return Math.max(...ends) - startedAtMs;
}

const STRESS_EVENTS = 5_000;
const STRESS_MEMBERS = 5;
const STRESS_HANDLERS = 10;

/** 50 subscribers, ten in each of five competing members, and 5,000 events in a namespace of their own. */
async function stress(t: CaseContext, group: string): Promise<void> {
  const namespace = t.newNamespace();
  const members = await Promise.all(
    Array.from({ length: STRESS_MEMBERS }, async (_, n) => {
      const bus = await t.bus({ namespace, group });
      for (let h = 0; h < STRESS_HANDLERS; h += 1) {
        bus.subscribeToAllEvents(
          recordedHandler(t.record, { group, consumer: `${group}-${n}`, handler: `h${h}` }),
        );
      }
      await bus.startConsuming();
      return bus;
    }),
  );
  const publisher = await t.bus({ namespace });
  for (let from = 1; from <= STRESS_EVENTS / 100; from += 10) {
    await t.publish(publisher, makeEvents({ keys: 100, perKey: 10, from }), { publisher: group });
  }
  await t.untilHandled(STRESS_EVENTS, {
    group,
    meantFor: (p) => p.publisher === group,
    withinMs: 2 * t.budget.takeoverMs + t.budget.deliverMs,
    everyMs: 100,
  });
  await t.untilQuiet(members, { withinMs: t.budget.takeoverMs });
}

function judgeStress(t: CaseContext, group: string): void {
  const runs = t.history.of(group).length;
  assert.equal(runs, STRESS_EVENTS * STRESS_HANDLERS, `${group}: handlers ran ${runs} times`);
  // Which member runs a handler differs from event to event, its number does not: each is judged by itself.
  t.expectClean({ group, meantFor: (p) => p.publisher === group });
}

import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';
import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { pause } from '../poll.js';
import { type Suite, suite } from '../registry.js';
import { keyIndependenceCases } from './or-independence.js';
import { reconnectCases } from './or-reconnect.js';
import { quickRetries, randomFrom } from './support.js';
import { untilAtWork } from './support-members.js';

const PARTITIONS_WANTED = 6;

/** Publishes in small calls, one after the other, until told to stop. Resolves to how many events were confirmed. */
function publishSteadily(
  t: CaseContext,
  bus: EventBus,
  keys: number,
  options: { readonly everyMs: number; readonly while: () => boolean },
): Promise<number> {
  const run = async (): Promise<number> => {
    let confirmed = 0;
    for (let from = 1; options.while(); from += 1) {
      const events = makeEvents({ keys, from });
      await t.publish(bus, events);
      confirmed += events.length;
      await pause(options.everyMs);
    }
    return confirmed;
  };
  return run();
}

/** Events of one key are handled in the order in which they were published, whatever happens. */
export const ORDERING: Suite = suite('OR', [
  {
    id: 'OR01',
    async run(t) {
      const { bus } = await t.consumer();
      await t.publish(bus, makeEvents({ keys: 20, perKey: 100 }));
      await t.untilHandled(2_000);
      await t.untilQuiet(bus);
      t.expectClean();
      for (const [key, sequences] of sequencesByKey(t)) {
        assert.deepEqual(
          sequences,
          Array.from({ length: 100 }, (_, n) => n + 1),
          `order of ${key}`,
        );
      }
    },
  },
  {
    id: 'OR02',
    requires: ['competing'],
    async run(t) {
      const consumers = await Promise.all([t.consumer(), t.consumer(), t.consumer()]);
      const publisher = await t.bus();
      for (let from = 1; from <= 50; from += 10)
        await t.publish(publisher, makeEvents({ keys: 30, perKey: 10, from }));
      await t.untilHandled(1_500, { withinMs: t.budget.deliverMs + t.budget.takeoverMs });
      await t.untilQuiet(
        consumers.map((c) => c.bus),
        { withinMs: t.budget.takeoverMs },
      );
      t.expectClean({ tolerate: ['duplicated'] });
      const partitions = new Set(t.history.deliveries.map((d) => d.partition));
      assert.ok(
        partitions.size >= PARTITIONS_WANTED,
        `30 keys were spread over ${partitions.size} partitions only: give the bus at least 6`,
      );
    },
  },
  {
    id: 'OR03',
    async run(t) {
      const random = randomFrom(3);
      const { bus } = await t.consumer({
        overrides: { concurrency: 8 },
        handler: () => pause(random() * 20),
      });
      await t.publish(bus, makeEvents({ keys: 12, perKey: 25 }));
      await t.untilHandled(300, { withinMs: 2 * t.budget.deliverMs });
      await t.untilQuiet(bus);
      t.expectClean();
      assert.equal(highestConcurrency(t), 8);
    },
  },
  ...keyIndependenceCases,
  {
    id: 'OR05',
    requires: ['orderedRetry'],
    async run(t) {
      const { bus } = await t.consumer({ overrides: quickRetries(3, 50) });
      const behaviour = (_key: string, sequence: number): { failAttempts: number } => ({
        failAttempts: sequence === 2 ? 2 : 0,
      });
      await t.publish(bus, makeEvents({ keys: 5, perKey: 4, behaviour }));
      await t.untilHandled(20);
      await t.untilQuiet(bus);
      t.expectClean();
      const ofOneKey = t.history.deliveries
        .filter((d) => d.key === 'key-0')
        .map((d) => `${d.sequence}/${d.attempt}`);
      assert.deepEqual(ofOneKey, ['1/1', '2/1', '2/2', '2/3', '3/1', '4/1']);
    },
  },
  {
    id: 'OR06',
    requires: ['competing'],
    timeoutMs: 90_000,
    async run(t) {
      const random = randomFrom(6);
      const handler = (): Promise<void> => pause(random() * 5);
      const [leaver, stayer] = await Promise.all([t.consumer({ handler }), t.consumer({ handler })]);
      const publisher = await t.bus();
      let publishing = true;
      const published = publishSteadily(t, publisher, 24, { everyMs: 10, while: () => publishing });
      await t.untilHandled(200, { withinMs: t.budget.takeoverMs });
      const joiner = await t.consumer({ handler });
      await t.until(
        'the newcomer to get work',
        () => t.history.of('group', { consumer: joiner.name }).length > 0,
        {
          withinMs: t.budget.takeoverMs,
        },
      );
      await leaver.bus.stopConsuming();
      const leftAtMs = monotonicMs();
      const before = t.history.handled('group');
      await t.until('the others to go on', () => t.history.handled('group') > before + 200, {
        withinMs: t.budget.takeoverMs,
      });
      publishing = false;
      const total = await published;
      await t.untilHandled(total, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet([stayer.bus, joiner.bus], { withinMs: t.budget.takeoverMs });
      t.expectClean({ tolerate: ['duplicated'] });
      const late = t.history.of('group', { consumer: leaver.name }).filter((d) => d.startedAtMs > leftAtMs);
      assert.equal(late.length, 0, 'a handler of the leaver started after it had left');
    },
  },
  {
    id: 'OR06',
    title: 'members that join and leave with much in hand keep the order of every key',
    requires: ['competing'],
    timeoutMs: 90_000,
    async run(t) {
      // Whoever hands a partition over then holds far more of it than it has begun.
      const handler = (): Promise<void> => pause(20);
      const [leaver, stayer] = await Promise.all([t.consumer({ handler }), t.consumer({ handler })]);
      const backlog = makeEvents({ keys: 24, perKey: 200 });
      await t.publish(await t.bus(), backlog);
      await untilAtWork(t, stayer);
      const joiner = await t.consumer({ handler });
      await t.until(
        'the newcomer to get work',
        () => t.history.of('group', { consumer: joiner.name }).length > 0,
        { withinMs: t.budget.takeoverMs },
      );
      const left = backlog.length - t.history.handled('group');
      assert.ok(left > 0, 'nothing was left to be handed over');
      await untilAtWork(t, leaver);
      await leaver.bus.stopConsuming();
      // The work alone takes four seconds.
      const withinMs = t.budget.deliverMs + t.budget.takeoverMs;
      await t.untilHandled(backlog.length, { withinMs });
      await t.untilQuiet([stayer.bus, joiner.bus], { withinMs: t.budget.takeoverMs });
      t.expectClean({ tolerate: ['duplicated'] });
    },
  },
  ...reconnectCases,
]);

function sequencesByKey(t: CaseContext): ReadonlyMap<string, readonly number[]> {
  const byKey = new Map<string, number[]>();
  for (const { key, sequence } of t.history.deliveries) byKey.set(key, [...(byKey.get(key) ?? []), sequence]);
  return byKey;
}

/** The most handlers that ran at the same time. */
export function highestConcurrency(t: CaseContext): number {
  const steps = t.history.deliveries.flatMap((d) => [
    { atMs: d.startedAtMs, by: 1 },
    { atMs: d.endedAtMs ?? Number.POSITIVE_INFINITY, by: -1 },
  ]);
  let running = 0;
  let highest = 0;
  for (const step of steps.sort((a, b) => a.atMs - b.atMs || a.by - b.by)) {
    running += step.by;
    highest = Math.max(highest, running);
  }
  return highest;
}

import assert from 'node:assert/strict';

import { makeEvent, makeEvents } from '../events.js';
import { pause } from '../poll.js';
import type { ConformanceCase } from '../registry.js';

const GROUP = 'group';
const KEYS = 60;

/** CC05: what a member had in hand when it was killed reaches another, and what it had done does not. */
export const crashCases: readonly ConformanceCase[] = [
  {
    id: 'CC05',
    requires: ['competing', 'processes'],
    timeoutMs: 120_000,
    async run(t) {
      const maxInFlight = 16;
      const overrides = { concurrency: 8, maxInFlight };
      const victim = await t.processes.spawn({
        role: 'consumer',
        name: 'victim',
        namespace: t.namespace,
        group: GROUP,
        overrides,
        workMs: 20,
      });
      const heir = await t.consumer({ overrides, handler: () => pause(5) });
      const publisher = await t.bus();
      let from = 1;
      const publish = async (): Promise<void> => {
        await t.publish(publisher, makeEvents({ keys: KEYS, from }));
        from += 1;
      };
      await t.until(
        'both members to work',
        async () => {
          await publish();
          return [victim.name, heir.name].every((consumer) => t.history.of(GROUP, { consumer }).length > 5);
        },
        { withinMs: t.budget.takeoverMs, everyMs: 50 },
      );
      for (let round = 0; round < 3; round += 1) await publish();
      await t.until('the victim to be in the middle of something', () =>
        t.history.of(GROUP, { consumer: victim.name }).some((d) => d.outcome === 'running'),
      );
      const exit = await victim.kill();
      const taken = new Set(t.history.of(GROUP, { consumer: victim.name }).map((d) => d.partition));
      await t.untilHandled((from - 1) * KEYS, { withinMs: t.budget.takeoverMs + t.budget.deliverMs });
      const heirs = t.history
        .of(GROUP, { consumer: heir.name })
        .filter((d) => d.startedAtMs > exit.atMs && taken.has(d.partition));
      const takeoverMs = (heirs[0]?.startedAtMs ?? exit.atMs) - exit.atMs;
      assert.ok(
        heirs.length > 0 && takeoverMs <= t.budget.takeoverMs,
        `taken over after ${takeoverMs.toFixed(0)} ms`,
      );
      await t.untilQuiet(heir.bus, { withinMs: t.budget.takeoverMs });
      const report = t.expectClean({ tolerate: ['duplicated'] });
      assert.ok(
        report.duplicated.length <= maxInFlight,
        `${report.duplicated.length} duplicates, at most ${maxInFlight} may be in flight`,
      );
      // What was acknowledged lies before what was in flight: only the newest of the victim's can come again.
      const done = t.history.of(GROUP, { consumer: victim.name }).filter((d) => d.outcome === 'ok');
      const acked = new Set(done.slice(0, Math.max(0, done.length - maxInFlight)).map((d) => d.eventId));
      const again = report.duplicated.filter((d) => acked.has(d.eventId));
      assert.deepEqual(again, [], 'acknowledged events were delivered again');
    },
  },
  {
    id: 'CC05',
    title: 'crash: what was in hand comes again, although what comes behind it is done',
    requires: ['competing', 'processes'],
    timeoutMs: 120_000,
    async run(t) {
      const spec = { namespace: t.namespace, group: GROUP, overrides: { concurrency: 64 } };
      const victim = await t.processes.spawn({ role: 'consumer', name: 'victim', ...spec });
      const publisher = await t.bus();
      const held = makeEvent({ key: 'held', behaviour: { hang: true } });
      await t.publish(publisher, held);
      await t.until('the event to be in hand', () => t.history.of(GROUP).length === 1);
      const heldIn = t.history.of(GROUP)[0]?.partition;
      await t.publish(publisher, makeEvents({ keys: KEYS, perKey: 10 }));
      await t.untilHandled(KEYS * 10, { group: GROUP });
      assert.ok(
        t.history.of(GROUP).some(({ partition, outcome }) => partition === heldIn && outcome === 'ok'),
        'nothing came behind the event that is in hand',
      );
      // By then the broker knows what is done.
      await t.until('the other partitions to have no lag', async () => {
        const { partitions } = await publisher.lag();
        return partitions.every(({ partition, lag }) => lag === 0 || partition === heldIn);
      });
      await victim.kill();
      const { bus } = await t.consumer({ handler: () => undefined });
      await t.untilHandled(KEYS * 10 + 1, { withinMs: t.budget.takeoverMs + t.budget.deliverMs });
      await t.untilQuiet(bus, { withinMs: t.budget.takeoverMs });
      t.expectClean({ tolerate: ['duplicated'] });
    },
  },
];

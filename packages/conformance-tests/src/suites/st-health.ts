import assert from 'node:assert/strict';

import type { BusStatus } from '@omnibus/core';

import { makeEvents } from '../events.js';
import { within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { statusesOf } from './support.js';
import { startMeters } from './support-telemetry.js';

/** How soon a dead broker must be noticed. */
const UNHEALTHY_MS = 5_000;
const DISTINCT_KEYS = 1_000;
const OUTAGES = 2;

/** ST05 and ST06: outages are told, once each, and nothing that is told grows with the events. */
export const healthCases: readonly ConformanceCase[] = [
  {
    id: 'ST05',
    requires: ['faults.stop', 'faults.start'],
    timeoutMs: 120_000,
    async run(t) {
      const { bus } = await t.consumer();
      await t.publish(bus, makeEvents({ keys: 10 }));
      await t.untilHandled(10);
      const up = await bus.health();
      assert.deepEqual(
        [up.healthy, up.connected, up.consuming, up.state],
        [true, true, true, 'ready'],
        up.reason,
      );
      t.onCleanup(() => t.faults.start());
      await t.faults.stop();
      const down = await t.until(
        'health to say so',
        async () => {
          // Each call must answer by itself, in time, and never throw.
          const health = await within('health', bus.health(), UNHEALTHY_MS);
          return !health.healthy && health;
        },
        { withinMs: UNHEALTHY_MS, everyMs: 20 },
      );
      assert.ok(down.reason && down.reason.length > 0, 'unhealthy without a reason');
      await t.faults.start();
      await t.until('health to recover', async () => (await bus.health()).healthy, {
        withinMs: t.budget.recoverMs,
        everyMs: 50,
      });
      await t.publish(bus, makeEvents({ keys: 10, from: 2 }));
      await t.untilHandled(20, { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      t.expectClean({ tolerate: ['duplicated'] });
      await bus.shutdown();
      const closed = await bus.health();
      assert.deepEqual([closed.healthy, closed.state], [false, 'closed']);
    },
  },
  {
    id: 'ST06',
    title: 'connected, disconnected and reconnected are told once per transition',
    requires: ['faults.throughProxy'],
    timeoutMs: 90_000,
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const { bus } = await t.consumer({ through: way });
      // Another bus, whose stream is read from its birth.
      const fresh = await t.bus({ through: way });
      const statuses = statusesOf(fresh);
      const told = (type: BusStatus['type']): number => statuses.filter((s) => s.type === type).length;
      await Promise.all([fresh.connect(), fresh.connect()]);
      await t.publish(fresh, makeEvents({ keys: 5 }));
      for (let outage = 1; outage <= OUTAGES; outage += 1) {
        await way.network.refuse();
        await way.network.cut();
        await t.until('the outage to be told', () => told('disconnected') === outage, {
          withinMs: t.budget.recoverMs,
        });
        await way.network.heal();
        await t.until('the return to be told', () => told('reconnected') === outage, {
          withinMs: t.budget.recoverMs,
        });
        await t.publish(fresh, makeEvents({ keys: 5, from: outage + 1 }));
      }
      await t.untilHandled(5 * (OUTAGES + 1), { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      assert.deepEqual([told('connected'), told('disconnected'), told('reconnected')], [1, OUTAGES, OUTAGES]);
      assert.equal(fresh.stats.reconnections, OUTAGES);
      const transitions = statuses.map((s) => s.type).filter((type) => /connected$/.test(type));
      assert.deepEqual(transitions, [
        'connected',
        ...Array.from({ length: OUTAGES }, () => ['disconnected', 'reconnected']).flat(),
      ]);
      await fresh.shutdown();
      await t.until('the end to be told', () => told('closed') === 1);
    },
  },
  {
    id: 'ST06',
    title: 'a thousand distinct keys add no label value to any metric',
    async run(t) {
      const meters = await startMeters(t);
      const overrides = { metrics: { meterProvider: meters.provider as never } };
      const { bus } = await t.consumer({ overrides });
      await t.publish(bus, makeEvents({ keys: 10 }));
      await t.untilHandled(10);
      await t.untilQuiet(bus);
      const before = await meters.labels();
      assert.ok(before.size > 0, 'no metric was recorded');
      const keys = Array.from({ length: DISTINCT_KEYS }, (_, n) => `distinct-${n}`);
      await t.publish(bus, makeEvents({ keys }));
      await t.untilHandled(10 + DISTINCT_KEYS);
      await t.untilQuiet(bus);
      const after = await meters.labels();
      assert.deepEqual(
        [...after].filter((label) => !before.has(label)),
        [],
      );
    },
  },
];

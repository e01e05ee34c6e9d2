import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { statusesOf } from './support.js';

const KEYS = 20;
const STANDS_STILL_MS = 15_000;
/** Beyond two heartbeats. */
const GRACE_MS = 1_000;
/** For one answer of `health`, which waits three seconds for the broker itself. */
const HEALTH_MS = 5_000;

/** FA04: nobody says that the broker is gone, and it is noticed all the same. */
export const silenceCases: readonly ConformanceCase[] = [
  {
    id: 'FA04',
    title:
      'a connection that falls silent is noticed within two heartbeats and a second; consumption goes on by itself',
    requires: ['sockets', 'faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const { bus } = await t.consumer({ through: way });
      const publisher = await t.bus({ through: way });
      await silence(t, [bus, publisher], {
        begin: () => way.network.halfOpen(),
        end: () => way.network.heal(),
        lastsMs: 0,
      });
    },
  },
  {
    id: 'FA04',
    title: 'a broker that stands still for 15 s is noticed likewise; consumption goes on by itself',
    requires: ['sockets', 'faults.pause', 'faults.resume'],
    timeoutMs: 120_000,
    async run(t) {
      t.onCleanup(() => t.faults.resume());
      const { bus } = await t.consumer();
      const publisher = await t.bus();
      await silence(t, [bus, publisher], {
        begin: () => t.faults.pause(),
        end: () => t.faults.resume(),
        lastsMs: STANDS_STILL_MS,
      });
    },
  },
];

interface Silence {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** At least; it also lasts until it was noticed. */
  readonly lastsMs: number;
}

async function silence(
  t: CaseContext,
  [bus, publisher]: readonly [EventBus, EventBus],
  { begin, end, lastsMs }: Silence,
): Promise<void> {
  await t.publish(publisher, makeEvents({ keys: KEYS }));
  await t.untilHandled(KEYS);
  await t.untilQuiet(bus);
  const statuses = statusesOf(bus);
  const begunAtMs = monotonicMs();
  await begin();
  const outstanding = t.publish(publisher, makeEvents({ keys: KEYS, from: 2 })).then(
    () => 'confirmed',
    () => 'failed',
  );
  await t.until('the silence to be noticed', () => statuses.some(({ type }) => type === 'disconnected'), {
    withinMs: t.budget.silenceMs + GRACE_MS,
    everyMs: 10,
  });
  for (const one of [bus, publisher]) {
    const { healthy, reason } = await within('health', one.health(), HEALTH_MS);
    assert.equal(healthy, false);
    assert.ok(reason, 'unhealthy without a reason');
  }
  await t.until('the silence to last long enough', () => monotonicMs() - begunAtMs >= lastsMs, {
    withinMs: lastsMs + GRACE_MS,
    everyMs: 50,
  });
  await end();
  await t.until('the return to be told', () => statuses.at(-1)?.type !== 'disconnected', {
    withinMs: t.budget.recoverMs,
    everyMs: 20,
  });
  await t.publish(publisher, makeEvents({ keys: KEYS, from: 3 }));
  await within('the outstanding publish to settle', outstanding, t.budget.recoverMs);
  await t.until('what was confirmed to be handled', () => t.check().lost.length === 0, {
    withinMs: t.budget.recoverMs + t.budget.takeoverMs,
    everyMs: 50,
  });
  await t.untilQuiet(bus, { withinMs: t.budget.recoverMs, everyMs: 50 });
  t.expectClean({ tolerate: ['duplicated', 'recovered'] });
  for (const one of [bus, publisher]) {
    await t.until('health to recover', async () => (await one.health()).healthy, {
      withinMs: t.budget.recoverMs,
      everyMs: 50,
    });
  }
}

import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { pause } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import type { ProxiedSubject } from '../subject.js';
import { statusesOf } from './support.js';
import { resourcesOf } from './support-resources.js';

const KEYS = 20;
const LATENCY_MS = 200;
const BYTES_PER_SECOND = 64_000;
/** One call, and one read, of this many events of one KiB take longer on the slow link than any request should. */
const SLOW_EVENTS = 400;
const SLOW_WITHIN_MS = 60_000;
const CUTS = 20;
const FLAP_MS = 10_000;
const PUBLISH_EVERY_MS = 50;
/** A connection may be cut again before it is of use: each cut costs each connection at most so many attempts. */
const ATTEMPTS_PER_CUT = 2;

/** FA05 and FA06: a network that is slow, or that flaps. */
export const networkCases: readonly ConformanceCase[] = [
  {
    id: 'FA05',
    requires: ['sockets', 'faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const { way, bus, publisher, statuses } = await workingPair(t);
      const accepted = way.network.accepted;
      await way.network.latency(LATENCY_MS);
      await way.network.throttle(BYTES_PER_SECOND);
      const filler = 'x'.repeat(620);
      await t.publish(
        publisher,
        makeEvents({ keys: KEYS, perKey: SLOW_EVENTS / KEYS, from: 2, data: { filler } }),
      );
      await t.untilHandled(KEYS + SLOW_EVENTS, { withinMs: SLOW_WITHIN_MS, everyMs: 50 });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs, everyMs: 200 });
      t.expectClean();
      const told = statuses().filter(({ type }) => type === 'disconnected' || type === 'error');
      assert.deepEqual(told, [], 'a slow link was taken for a broken one');
      assert.equal(way.network.accepted, accepted, 'connections were made anew');
    },
  },
  {
    id: 'FA06',
    requires: ['sockets', 'faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const warnings: string[] = [];
      const onWarning = (warning: Error): void => void warnings.push(warning.message);
      process.on('warning', onWarning);
      t.onCleanup(() => process.off('warning', onWarning));
      const { way, bus, publisher } = await workingPair(t);
      const { open, accepted } = way.network;
      const resources = resourcesOf();
      let flapping = true;
      t.onCleanup(() => {
        flapping = false;
      });
      let sequence = 2;
      const publishing = (async () => {
        const calls: Promise<unknown>[] = [];
        for (; flapping; sequence += 1) {
          calls.push(t.publish(publisher, makeEvents({ keys: KEYS, from: sequence })).catch(() => undefined));
          await pause(PUBLISH_EVERY_MS);
        }
        await Promise.all(calls);
      })();
      await way.network.flap(CUTS, FLAP_MS);
      flapping = false;
      const attempts = way.network.accepted - accepted;
      await t.until('both to be healthy', async () => (await healthOf([bus, publisher])).every(Boolean), {
        withinMs: t.budget.recoverMs,
        everyMs: 50,
      });
      await publishing;
      await t.publish(publisher, makeEvents({ keys: KEYS, from: sequence }));
      await t.until('what was confirmed to be handled', () => t.check().lost.length === 0, {
        withinMs: t.budget.recoverMs,
        everyMs: 100,
      });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      t.expectClean({ tolerate: ['duplicated', 'recovered'] });
      await t.until(
        'connections to be as before',
        () => {
          assert.equal(way.network.open, open);
          return true;
        },
        { withinMs: t.budget.recoverMs, everyMs: 50 },
      );
      const allowed = ATTEMPTS_PER_CUT * open * CUTS;
      assert.ok(attempts <= allowed, `${attempts} connections in ${FLAP_MS} ms, ${allowed} allowed`);
      await t.until(
        'timers and listeners to be as before',
        () => {
          const grown = resourcesOf().grownSince(resources);
          if (grown.length > 0) throw new Error(grown.join('; '));
          return true;
        },
        { withinMs: t.budget.recoverMs, everyMs: 50 },
      );
      assert.deepEqual(warnings, []);
    },
  },
];

/** A consumer and a publisher that have made every connection they need. */
async function workingPair(t: CaseContext): Promise<{
  readonly way: ProxiedSubject;
  readonly bus: EventBus;
  readonly publisher: EventBus;
  statuses(): ReturnType<typeof statusesOf>;
}> {
  const way = await t.faults.throughProxy();
  t.onCleanup(() => way.close());
  const { bus } = await t.consumer({ through: way });
  const publisher = await t.bus({ through: way });
  await t.publish(publisher, makeEvents({ keys: KEYS }));
  await t.untilHandled(KEYS);
  await t.untilQuiet(bus);
  assert.deepEqual(await healthOf([bus, publisher]), [true, true]);
  const told = [statusesOf(bus), statusesOf(publisher)];
  return { way, bus, publisher, statuses: () => told.flat() };
}

async function healthOf(buses: readonly EventBus[]): Promise<readonly boolean[]> {
  return (await Promise.all(buses.map((bus) => bus.health()))).map(({ healthy }) => healthy);
}

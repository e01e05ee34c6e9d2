import assert from 'node:assert/strict';

import type { DomainEvent, EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';

/** For a call to be on its way, and those behind it not. */
const GATHER_MS = 50;

/** OR07: a publisher that loses its connection keeps the order of what it sends again. */
export const reconnectCases: readonly ConformanceCase[] = [
  {
    id: 'OR07',
    requires: ['faults.throughProxy'],
    timeoutMs: 90_000,
    async run(t) {
      const { bus: reader } = await t.consumer();
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const publisher = await t.bus({ through: way });
      await publisher.connect();
      const cutsAtMs: number[] = [];
      const calls: Promise<void>[] = [];
      for (let round = 0; round < 3; round += 1) {
        // Many small calls outstanding at once, and the connection goes while they are on their way.
        for (let n = 0; n < 40; n += 1) {
          calls.push(
            publishAndForgive(
              t,
              publisher,
              makeEvents({ keys: 10, perKey: 2, from: 1 + round * 80 + n * 2 }),
            ),
          );
          if (n === 20) {
            await t.until('a publish to be on its way', () => t.history.published('pending').length > 0);
            await way.network.cut();
            cutsAtMs.push(monotonicMs());
          }
        }
        await Promise.all(calls);
        // Where a cut hits the reader too, it gets again what it had in hand: nothing, then, of what is confirmed by now.
        await t.until('every confirmed event', () => t.check().lost.length === 0, {
          withinMs: t.budget.recoverMs,
        });
        await t.untilQuiet(reader, { withinMs: t.budget.recoverMs });
      }
      assert.equal(t.history.published('pending').length, 0);
      const confirmed = t.history.published('ok').length;
      assert.ok(confirmed > 0);
      const report = t.expectClean({ tolerate: ['duplicated', 'recovered'] });
      for (const duplicate of report.duplicated) {
        const publish = t.history.publishes.find((p) => p.eventId === duplicate.eventId);
        const unconfirmedAtACut = cutsAtMs.some(
          (at) => (publish?.invokedAtMs ?? at) <= at && at <= (publish?.settledAtMs ?? at),
        );
        assert.ok(
          unconfirmedAtACut,
          `${duplicate.key}#${duplicate.sequence} is stored twice, although no cut came between its publish and the answer`,
        );
      }
    },
  },
  {
    id: 'OR07',
    title: 'what waited behind calls that were cut off does not overtake them',
    requires: ['faults.throughProxy', 'faults.pause', 'faults.resume'],
    timeoutMs: 90_000,
    async run(t) {
      const { bus: reader } = await t.consumer();
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const publisher = await t.bus({ through: way });
      await t.publish(publisher, makeEvents({ keys: 10 }));
      await t.untilHandled(10);
      await t.faults.pause();
      t.onCleanup(() => t.faults.resume());
      const call = (from: number): Promise<void> =>
        publishAndForgive(t, publisher, makeEvents({ keys: 10, from }));
      const calls = [call(2)];
      // The first is on its way, and gets no answer: the others gather behind it.
      await staysTrue('no answer', () => t.history.published('pending').length === 10, GATHER_MS);
      for (let from = 3; from <= 12; from += 1) calls.push(call(from));
      // Where the broker itself lives in this process, a cut is over only when it answers.
      const cut = way.network.cut();
      await t.faults.resume();
      await cut;
      await within('every call to settle', Promise.all(calls), t.budget.recoverMs + t.budget.deliverMs);
      await t.until('every confirmed event', () => t.check().lost.length === 0, {
        withinMs: t.budget.recoverMs,
      });
      await t.untilQuiet(reader, { withinMs: t.budget.recoverMs });
      t.expectClean({ tolerate: ['duplicated', 'recovered'] });
    },
  },
];

/** The history tells how it ended. */
async function publishAndForgive(
  t: CaseContext,
  bus: EventBus,
  events: readonly DomainEvent[],
): Promise<void> {
  try {
    await t.publish(bus, events);
  } catch {
    // Unknown or refused: the checker knows what that allows.
  }
}

import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import { makeEvent, makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { gate } from './support.js';
import { bestOf } from './support-measures.js';

const TIMEOUT_MS = 400;
/** How much later than its time-out a close may resolve. */
const TOLERANCE_MS = 300;
const WATCHED_MS = 200;

/** LC02 and LC03: a bus that closes waits for its handlers, but not for ever. */
export const drainCases: readonly ConformanceCase[] = [
  {
    id: 'LC02',
    async run(t) {
      const first = await t.consumer({ name: 'first' });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 3, behaviour: { workMs: 500 } }));
      await t.until('the handlers to run', () => t.history.of('group').length === 3);
      const report = await first.bus.shutdown();
      const closedAtMs = monotonicMs();
      assert.deepEqual([report.clean, report.abandonedHandlers, report.released], [true, 0, 0]);
      for (const run of t.history.of('group')) {
        assert.equal(run.outcome, 'ok');
        assert.ok(
          (run.endedAtMs ?? Number.POSITIVE_INFINITY) <= closedAtMs,
          'closed before the handler had ended',
        );
      }
      const second = await t.consumer({ name: 'second' });
      await t.publish(publisher, makeEvents({ keys: 3, from: 2 }));
      await t.untilHandled(6, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet(second.bus);
      assert.equal(second.bus.stats.redeliveries, 0);
      assert.equal(t.history.of('group', { consumer: 'second' }).length, 3);
      t.expectClean();
    },
  },
  {
    id: 'LC03',
    title: 'close does not wait longer than its time-out for a stuck handler, whose event goes elsewhere',
    timeoutMs: 90_000,
    async run(t) {
      await bestOf(3, async (round) => {
        const group = `round-${round}`;
        const namespace = t.newNamespace();
        const hold = gate();
        t.onCleanup(hold.open);
        const signals: AbortSignal[] = [];
        const stuck = await t.consumer({
          namespace,
          group,
          overrides: { concurrency: 1 },
          handler: (_, { signal }) => {
            signals.push(signal);
            return hold.opened;
          },
        });
        const publisher = await t.bus({ namespace });
        await t.publish(publisher, [makeEvent({ key: `${group}-a` }), makeEvent({ key: `${group}-b` })]);
        await t.until('the handler to run', () => t.history.of(group).length === 1);
        const startedAtMs = monotonicMs();
        const report = await within(
          'close',
          stuck.bus.shutdown({ timeoutMs: TIMEOUT_MS }),
          t.budget.recoverMs,
        );
        const tookMs = monotonicMs() - startedAtMs;
        t.gone(stuck);
        assert.deepEqual([report.clean, report.abandonedHandlers], [false, 1]);
        assert.ok(report.released >= 1, 'nothing was given back');
        assert.equal(signals[0]?.aborted, true, 'the handler was not told');
        await staysTrue('no handler starts after close', () => t.history.of(group).length === 1, WATCHED_MS);
        await t.consumer({ namespace, group, name: `second-${round}`, handler: () => {} });
        const second = () => t.history.of(group, { consumer: `second-${round}` });
        await t.until(
          'both events to be handled elsewhere',
          () => second().filter((d) => d.outcome === 'ok').length === 2,
          {
            withinMs: t.budget.takeoverMs,
          },
        );
        hold.open();
        assert.ok(tookMs <= TIMEOUT_MS + TOLERANCE_MS, `close took ${tookMs.toFixed(0)} ms`);
      });
    },
  },
];

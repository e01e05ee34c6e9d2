import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import { makeEvent, makeEvents } from '../events.js';
import { within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { failsWith } from './support.js';
import { bestOf } from './support-measures.js';

const REFUSED_MS = 100;
const OUTSTANDING = 200;
/** How long a bus may wait for a broker that says nothing. */
const UNANSWERED_MS = 200;
/** How long a process that was told to end may take. */
const GRACE_MS = 10_000;

/** LC06 and LC07: what is under way when a bus closes comes to an end, and nothing comes after. */
export const closingCases: readonly ConformanceCase[] = [
  {
    id: 'LC06',
    title: 'after close a publish is refused at once',
    async run(t) {
      const bus = await t.bus();
      await bus.publish(makeEvent());
      await bus.shutdown();
      await bestOf(3, async () => {
        for (const publish of [
          () => bus.publish(makeEvent()),
          () => bus.publish(makeEvent(), { background: true }),
        ]) {
          const startedAtMs = monotonicMs();
          await failsWith('a publish after close', 'BUS_CLOSED', publish);
          const tookMs = monotonicMs() - startedAtMs;
          assert.ok(tookMs <= REFUSED_MS, `refused after ${tookMs.toFixed(0)} ms`);
        }
      });
    },
  },
  ...(['a connected bus', 'a bus that was connecting'] as const).map(
    (which): ConformanceCase => ({
      id: 'LC06',
      title: `publishes of ${which} that nobody waited for are flushed or rejected, none is left pending`,
      async run(t) {
        const consumer = await t.consumer();
        const publisher = await t.bus();
        if (which === 'a connected bus') await publisher.connect();
        const outcomes = makeEvents({ keys: 10, perKey: OUTSTANDING / 10 }).map((event, n) =>
          t.publish(publisher, event, { background: n % 4 === 0 }).then(
            () => 'ok',
            (error: { code?: string }) => error.code ?? 'no code',
          ),
        );
        const report = await within('close', publisher.shutdown(), t.budget.deliverMs);
        const settled = await within('every publish to settle', Promise.all(outcomes), t.budget.deliverMs);
        for (const outcome of settled) assert.ok(['ok', 'BUS_CLOSED'].includes(outcome), outcome);
        assert.equal(publisher.stats.pendingPublishes, 0);
        // Those in the background had returned at hand-off: what became of them is in the report and in stats.
        assert.equal(publisher.stats.eventsPublished + report.unflushedPublishes, OUTSTANDING);
        const refused = settled.filter((outcome) => outcome !== 'ok').length;
        assert.ok(
          refused <= report.unflushedPublishes,
          `${refused} rejected, ${report.unflushedPublishes} reported`,
        );
        await t.until(
          'what was flushed to be handled',
          () => t.history.handled('group') >= publisher.stats.eventsPublished,
        );
        await t.untilQuiet(consumer.bus);
        assert.equal(t.history.handled('group'), publisher.stats.eventsPublished);
        t.expectClean(report.unflushedPublishes === 0 ? {} : { tolerate: ['lost', 'skipped'] });
      },
    }),
  ),
  {
    id: 'LC06',
    title: 'publishes that the broker does not answer are rejected when the time to close is over',
    requires: ['faults.pause', 'faults.resume'],
    async run(t) {
      const publisher = await t.bus();
      await publisher.publish(makeEvent());
      await t.faults.pause();
      t.onCleanup(() => t.faults.resume());
      const outcomes = makeEvents({ keys: 10, perKey: OUTSTANDING / 10, from: 2 }).map((event) =>
        publisher.publish(event).then(
          () => 'ok',
          (error: { code?: string }) => error.code ?? 'no code',
        ),
      );
      const closing = publisher.shutdown({ timeoutMs: UNANSWERED_MS });
      const report = await within('close', closing, t.budget.recoverMs + t.budget.deliverMs);
      assert.deepEqual([report.clean, report.unflushedPublishes], [false, OUTSTANDING]);
      const settled = await within('every publish to settle', Promise.all(outcomes), t.budget.deliverMs);
      assert.deepEqual([...new Set(settled)], ['BUS_CLOSED']);
      assert.equal(publisher.stats.pendingPublishes, 0);
    },
  },
  {
    id: 'LC07',
    requires: ['processes'],
    timeoutMs: 90_000,
    async run(t) {
      const { namespace } = t;
      const spec = {
        role: 'consumer',
        namespace,
        group: 'group',
        overrides: { concurrency: 8 },
        workMs: 5,
      } as const;
      const first = await t.processes.spawn({ ...spec, name: 'first', drainOnSigterm: true });
      const publisher = await t.bus();
      const events = makeEvents({ keys: 20, perKey: 50 });
      const publishing = (async () => {
        for (let at = 0; at < events.length; at += 20) await t.publish(publisher, events.slice(at, at + 20));
      })();
      await t.until('the consumer to be at work', () => t.history.handled('group') >= 100);
      first.signal('SIGTERM');
      const { code, signal } = await within('the process to end', first.exited, GRACE_MS);
      assert.deepEqual([code, signal], [0, null], first.output);
      await publishing;
      assert.ok(t.history.handled('group') < events.length, 'there was nothing left to be done');
      await t.processes.spawn({ ...spec, name: 'second' });
      await t.untilHandled(events.length, { withinMs: t.budget.takeoverMs });
      await t.until('no lag to be left', async () => (await publisher.lag()).total === 0, { everyMs: 50 });
      t.expectClean();
    },
  },
];

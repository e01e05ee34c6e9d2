import assert from 'node:assert/strict';

import type { HistoryPositions, ReplayReport } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import type { DeliveryRecord } from '../history.js';
import { recordedHandler } from '../recorder.js';
import { type ConformanceCase, type Suite, suite } from '../registry.js';
import { failsWith } from './support.js';
import { nextMillisecond } from './support-time.js';

const KEYS = 40;

const refused: NonNullable<ConformanceCase['otherwise']> = async (t) => {
  const bus = await t.bus();
  await failsWith('replay', 'UNSUPPORTED', () => bus.replay({ from: 'beginning', handler: () => {} }));
};

/** History can be read again, beside the life of the groups. */
export const REPLAY: Suite = suite('RP', [
  {
    id: 'RP01',
    requires: ['history'],
    otherwise: refused,
    async run(t) {
      const bus = await t.bus();
      await t.publish(bus, makeEvents({ keys: 10, perKey: 30 }));
      const report = await replay(t, 'replay', { from: 'beginning' });
      assert.deepEqual(report, { events: 300, unreadable: 0, truncated: false });
      t.expectClean({ group: 'replay' });
      assert.ok(t.history.of('replay').every((d) => d.replay && d.attempt === 1));
    },
  },
  {
    id: 'RP02',
    title: 'from a position, until a position: exactly the range, and the count',
    requires: ['history'],
    otherwise: refused,
    async run(t) {
      const { bus } = await t.consumer();
      for (const from of [1, 3, 5]) await t.publish(bus, makeEvents({ keys: KEYS, perKey: 2, from }));
      await t.untilHandled(6 * KEYS);
      const from = firstPositions(t.history.of('group').filter((d) => d.sequence === 3));
      const until = firstPositions(t.history.of('group').filter((d) => d.sequence === 5));
      const report = await replay(t, 'range', { from, until });
      assert.equal(report.events, 2 * KEYS);
      assert.equal(report.truncated, false);
      t.expectClean({ group: 'range', meantFor: (p) => p.sequence === 3 || p.sequence === 4 });
      const rest = await replay(t, 'rest', { from });
      assert.equal(rest.events, 4 * KEYS);
      t.expectClean({ group: 'rest', meantFor: (p) => p.sequence >= 3 });
    },
  },
  {
    id: 'RP02',
    title: 'from a time, until a time: exactly the range, and the count',
    requires: ['history-by-time'],
    otherwise: async (t) => {
      const bus = await t.bus();
      await failsWith('replay from a time', 'UNSUPPORTED', () =>
        bus.replay({ from: new Date(0), handler: () => {} }),
      );
    },
    async run(t) {
      const bus = await t.bus();
      const borders: Date[] = [];
      for (const from of [1, 3, 5]) {
        borders.push(await nextMillisecond(t));
        await t.publish(bus, makeEvents({ keys: KEYS, perKey: 2, from }));
      }
      const [, from, until] = borders as [Date, Date, Date];
      const report = await replay(t, 'range', { from, until });
      assert.equal(report.events, 2 * KEYS);
      t.expectClean({ group: 'range', meantFor: (p) => p.sequence === 3 || p.sequence === 4 });
      assert.equal((await replay(t, 'later', { from: new Date(Date.now() + 60_000) })).events, 0);
    },
  },
  {
    id: 'RP03',
    requires: ['history', 'inspect.groupPositions', 'inspect.backlog'],
    otherwise: refused,
    async run(t) {
      const live = await t.consumer();
      await t.publish(live.bus, makeEvents({ keys: KEYS, perKey: 2 }));
      await t.untilHandled(2 * KEYS);
      await t.untilQuiet(live.bus);
      await live.bus.stopConsuming();
      await t.publish(live.bus, makeEvents({ keys: KEYS, from: 3 }));
      const truth = async (): Promise<unknown> => ({
        positions: await t.inspect.groupPositions(t.namespace, 'group'),
        backlog: await t.inspect.backlog(t.namespace, 'group'),
        lag: (await live.bus.lag()).total,
      });
      const before = await truth();
      assert.equal((before as { backlog: number }).backlog, KEYS);
      const report = await replay(t, 'replay', { from: 'beginning' });
      assert.equal(report.events, 3 * KEYS);
      assert.deepEqual(await truth(), before);
      // While the group consumes, a replay through the same bus gives its handlers nothing.
      await live.bus.startConsuming();
      await t.untilHandled(3 * KEYS);
      await t.untilQuiet(live.bus);
      await live.bus.replay({ from: 'beginning', handler: () => {} });
      await t.untilQuiet(live.bus);
      t.expectClean();
    },
  },
  {
    id: 'RP04',
    requires: ['history', 'trimming', 'inspect.trim'],
    otherwise: async (t) => {
      if (t.subject.capabilities.history === 'none') await refused(t);
    },
    async run(t) {
      const { bus } = await t.consumer();
      const startedAt = await nextMillisecond(t);
      await t.publish(bus, makeEvents({ keys: KEYS, perKey: 5 }));
      await t.untilHandled(5 * KEYS);
      await t.untilQuiet(bus);
      const first = firstPositions(t.history.of('group'));
      const perPartition = 5;
      await t.inspect.trim(t.namespace, perPartition);
      const left = 5 * KEYS - perPartition * Object.keys(first.positions).length;
      for (const [what, from] of [
        ['a trimmed position', first],
        ['the beginning', 'beginning'],
        ['a trimmed time', startedAt],
      ] as const) {
        const report = await replay(t, what, { from });
        assert.deepEqual([report.truncated, report.events], [true, left], what);
      }
    },
  },
]);

/** Replays to a recorded handler whose group is `label`. */
async function replay(
  t: CaseContext,
  label: string,
  options: { readonly from: 'beginning' | Date | HistoryPositions; readonly until?: Date | HistoryPositions },
): Promise<ReplayReport> {
  // A group of its own: nothing that happens to it may be seen by others.
  const bus = await t.bus({ group: 'admin' });
  return bus.replay({ ...options, handler: recordedHandler(t.record, { group: label, consumer: label }) });
}

/** Of each partition, where the first of these deliveries stood. */
function firstPositions(deliveries: readonly DeliveryRecord[]): HistoryPositions {
  const positions: Record<number, string> = {};
  for (const { partition, position } of deliveries) positions[partition] ??= position;
  return { positions };
}

import assert from 'node:assert/strict';

import { makeEvent, makeEvents } from '../events.js';
import { recordedHandler } from '../recorder.js';
import type { ConformanceCase } from '../registry.js';

/** SU05 and SU06: handlers that go and come while the bus consumes. */
export const changeCases: readonly ConformanceCase[] = [
  {
    id: 'SU05',
    title: 'nothing starts after unsubscribe, and what was not subscribed cannot be unsubscribed',
    async run(t) {
      const bus = await t.bus();
      const calls: string[] = [];
      const leaving = (): void => void calls.push('leaving');
      const never = (): void => void calls.push('never');
      bus.subscribe('A', leaving);
      bus.subscribeToAllEvents(leaving);
      const staying = recordedHandler(t.record, { group: 'group', consumer: 'c' });
      bus.subscribeToAllEvents(staying);
      await bus.startConsuming();
      await t.publish(bus, makeEvents({ type: 'A', keys: 3 }));
      await t.untilHandled(3);
      assert.equal(calls.length, 6);
      assert.equal(bus.unsubscribe('A', leaving), true);
      assert.equal(bus.unsubscribe('A', leaving), false);
      assert.equal(bus.unsubscribe('B', leaving), false);
      assert.equal(bus.unsubscribe('A', never), false);
      assert.equal(bus.unsubscribeFromAllEvents(leaving), true);
      assert.equal(bus.unsubscribeFromAllEvents(leaving), false);
      await t.publish(bus, makeEvents({ type: 'A', keys: 3, from: 2 }));
      await t.untilHandled(6);
      await t.untilQuiet(bus);
      assert.equal(calls.length, 6);
    },
  },
  {
    id: 'SU05',
    title: 'unsubscribe works from inside the handler itself',
    async run(t) {
      const bus = await t.bus();
      let calls = 0;
      const once = (): void => {
        calls += 1;
        assert.equal(bus.unsubscribe('A', once), true);
      };
      bus.subscribe('A', once);
      bus.subscribeToAllEvents(recordedHandler(t.record, { group: 'group', consumer: 'c' }));
      await bus.startConsuming();
      // One key: the second event cannot be under way before the first is done.
      await t.publish(bus, makeEvents({ type: 'A', perKey: 5 }));
      await t.untilHandled(5);
      await t.untilQuiet(bus);
      assert.equal(calls, 1);
    },
  },
  {
    id: 'SU05',
    title: 'a subscriber is registered for each type it names, and removed as a whole',
    async run(t) {
      const bus = await t.bus();
      const seen: string[] = [];
      const subscriber = {
        subscribedTo: () => ['A', 'B'],
        handle: (event: { eventType: string }) => void seen.push(event.eventType),
      };
      bus.subscribeAll(subscriber);
      bus.subscribeToAllEvents(recordedHandler(t.record, { group: 'group', consumer: 'c' }));
      await bus.startConsuming();
      const oneOfEach = (from: number): ReturnType<typeof makeEvents> =>
        ['A', 'B', 'C'].map((type, n) => makeEvent({ type, from: from + n }));
      await t.publish(bus, oneOfEach(1));
      await t.untilHandled(3);
      assert.deepEqual(seen, ['A', 'B']);
      assert.equal(bus.unsubscribeAll(subscriber), 2);
      assert.equal(bus.unsubscribeAll(subscriber), 0);
      await t.publish(bus, oneOfEach(4));
      await t.untilHandled(6);
      await t.untilQuiet(bus);
      assert.deepEqual(seen, ['A', 'B']);
    },
  },
  {
    id: 'SU06',
    title: 'a handler subscribed while consuming gets what is published afterwards',
    async run(t) {
      const bus = await t.bus();
      await bus.startConsuming();
      bus.subscribe('Late', recordedHandler(t.record, { group: 'group', consumer: 'c' }));
      await t.publish(bus, makeEvents({ type: 'Late', keys: 5, perKey: 2 }));
      await t.untilHandled(10);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'SU06',
    title: 'a second handler of a type that is being handled gets what is published afterwards',
    async run(t) {
      const bus = await t.bus();
      const labels = { group: 'group', consumer: 'c' };
      bus.subscribe('Known', recordedHandler(t.record, { ...labels, handler: 'first' }));
      await bus.startConsuming();
      await t.publish(bus, makeEvents({ type: 'Known', keys: 5 }));
      await t.untilHandled(5);
      bus.subscribe('Known', recordedHandler(t.record, { ...labels, handler: 'second' }));
      bus.subscribeToAllEvents(recordedHandler(t.record, { ...labels, handler: 'any' }));
      await t.publish(bus, makeEvents({ type: 'Known', keys: 5, from: 2 }));
      await t.untilHandled(10);
      await t.untilQuiet(bus);
      for (const [handler, times] of [
        ['first', 10],
        ['second', 5],
        ['any', 5],
      ] as const)
        assert.equal(t.history.of('group', { handler }).length, times, `runs of the handler ${handler}`);
    },
  },
  {
    id: 'SU06',
    title: 'a handler subscribed from within a handler gets what is published afterwards',
    async run(t) {
      const bus = await t.bus();
      const late = recordedHandler(t.record, { group: 'group', consumer: 'c', handler: 'late' });
      bus.subscribe('Start', async (event) => {
        bus.subscribe('Late', late);
        await t.publish(
          bus,
          makeEvents({ type: 'Late', keys: [event.aggregateId, 'other'], perKey: 3, from: 2 }),
        );
      });
      await bus.startConsuming();
      await bus.publish(makeEvent({ type: 'Start' }));
      await t.untilHandled(6);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
];

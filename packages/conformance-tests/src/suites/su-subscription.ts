import assert from 'node:assert/strict';

import type { EventHandlerFunction } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { recordedHandler } from '../recorder.js';
import { type Suite, suite } from '../registry.js';
import { quickRetries } from './support.js';

/** Who gets what inside one bus. */
export const SUBSCRIPTION: Suite = suite('SU', [
  {
    id: 'SU01',
    async run(t) {
      const { bus } = await t.consumer({ types: ['A'] });
      const as = makeEvents({ keys: 4, perKey: 10, type: 'A' });
      const bs = makeEvents({ keys: 4, perKey: 10, type: 'B', from: 11 });
      await t.publish(
        bus,
        as.flatMap((a, n) => [a, ...bs.slice(n, n + 1)]),
      );
      await t.untilHandled(40);
      await t.untilQuiet(bus);
      t.expectClean({ meantFor: (p) => p.eventType === 'A' });
      assert.equal(bus.stats.eventsIgnored, 40);
    },
  },
  {
    id: 'SU02',
    async run(t) {
      const { bus } = await t.consumer();
      const types = ['A', 'B', 'C'];
      // Three types of each key in turn: order per key holds across types.
      const events = makeEvents({ keys: 5, perKey: 6 }).map((event, n) => ({
        ...event,
        eventType: types[n % 3] ?? 'A',
      }));
      await t.publish(bus, events);
      await t.untilHandled(30);
      await t.untilQuiet(bus);
      t.expectClean();
      assert.equal(t.history.deliveries.length, 30);
      for (const type of types)
        assert.equal(t.history.deliveries.filter((d) => d.eventType === type).length, 10);
    },
  },
  {
    id: 'SU03',
    title: 'two handlers of one type are each invoked once, in order of registration, wildcards last',
    async run(t) {
      const bus = await t.bus();
      const order: string[] = [];
      const handler = (name: string): EventHandlerFunction =>
        recordedHandler(
          t.record,
          { group: 'group', consumer: 'c', handler: name },
          () => void order.push(name),
        );
      bus.subscribeToAllEvents(handler('any'));
      bus.subscribe('A', handler('first'));
      bus.subscribe('A', handler('second'));
      await bus.startConsuming();
      await t.publish(bus, makeEvent({ type: 'A' }));
      await t.until('three runs', () => order.length === 3);
      await t.untilQuiet(bus);
      assert.deepEqual(order, ['first', 'second', 'any']);
      t.expectClean();
    },
  },
  {
    id: 'SU03',
    title: 'a function registered twice is invoked twice, and unsubscribe removes the first registration',
    async run(t) {
      const bus = await t.bus();
      const order: string[] = [];
      const twice = (): void => void order.push('twice');
      const between = (): void => void order.push('between');
      for (const handler of [twice, between, twice]) bus.subscribe('A', handler);
      await bus.startConsuming();
      await bus.publish(makeEvent({ type: 'A' }));
      await t.until('three runs', () => order.length === 3);
      await t.untilQuiet(bus);
      assert.deepEqual(order.splice(0), ['twice', 'between', 'twice']);
      assert.equal(bus.unsubscribe('A', twice), true);
      await bus.publish(makeEvent({ type: 'A', from: 2 }));
      await t.until('two runs', () => order.length === 2);
      await t.untilQuiet(bus);
      assert.deepEqual(order, ['between', 'twice']);
    },
  },
  {
    id: 'SU04',
    async run(t) {
      const bus = await t.bus({ overrides: quickRetries(1) });
      const labels = { group: 'group', consumer: 'c' };
      bus.subscribe(
        'A',
        recordedHandler(t.record, { ...labels, handler: 'failing' }, (_event, context) => {
          if (context.attempt === 1) throw new Error('first attempt fails');
        }),
      );
      bus.subscribe('A', recordedHandler(t.record, { ...labels, handler: 'sibling' }));
      await bus.startConsuming();
      await t.publish(bus, makeEvent({ type: 'A' }));
      await t.until(
        'three runs',
        () => t.history.deliveries.filter((d) => d.outcome !== 'running').length === 3,
      );
      await t.untilQuiet(bus);
      assert.deepEqual(
        t.history.deliveries.map((d) => `${d.handler} ${d.attempt} ${d.outcome}`),
        ['failing 1 failed', 'sibling 1 ok', 'failing 2 ok'],
      );
      t.expectClean();
    },
  },
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
  {
    id: 'SU07',
    title: 'a handler that publishes and waits does not block itself, with one handler at a time',
    async run(t) {
      const { bus } = await t.consumer({
        overrides: { concurrency: 1, maxInFlight: 1 },
        handler: async (event, context) => {
          if (event.eventType !== 'Cause') return;
          // The key of the cause, which is held by this very handler, and another.
          await t.publish(
            context,
            makeEvents({ type: 'Effect', keys: [event.aggregateId], from: event.aggregateVersion + 100 }),
          );
          await t.publish(context, makeEvents({ type: 'Effect', keys: [`${event.aggregateId}-effect`] }));
        },
      });
      await t.publish(bus, makeEvents({ type: 'Cause', keys: 10 }));
      await t.untilHandled(30);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'SU07',
    title: 'a chain of 100 events, each published by the handler of the one before, completes',
    async run(t) {
      const { bus } = await t.consumer({
        overrides: { concurrency: 1 },
        handler: async (event, context) => {
          const next = event.aggregateVersion + 1;
          if (next <= 100) await t.publish(context, makeEvent({ type: 'Link', from: next }));
        },
      });
      await t.publish(bus, makeEvent({ type: 'Link' }));
      await t.untilHandled(100);
      await t.untilQuiet(bus);
      t.expectClean();
      assert.equal(t.history.deliveries.length, 100);
    },
  },
  {
    id: 'SU08',
    async run(t) {
      const spaces = await Promise.all(
        ['one', 'two'].map(async (name) => {
          const bus = await t.bus({ namespace: t.newNamespace(), group: 'same' });
          // The history keeps them apart, the broker must do it too.
          bus.subscribeToAllEvents(recordedHandler(t.record, { group: name, consumer: name }));
          await bus.startConsuming();
          return { name, bus };
        }),
      );
      await Promise.all(
        spaces.map(({ name, bus }) =>
          t.publish(bus, makeEvents({ keys: 5, perKey: 10 }), { publisher: name }),
        ),
      );
      for (const { name, bus } of spaces) {
        await t.untilHandled(50, { group: name, meantFor: (p) => p.publisher === name });
        await t.untilQuiet(bus);
      }
      for (const { name } of spaces) t.expectClean({ group: name, meantFor: (p) => p.publisher === name });
    },
  },
]);

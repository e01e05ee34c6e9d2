import assert from 'node:assert/strict';

import type { EventHandlerFunction } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { recordedHandler } from '../recorder.js';
import { type Suite, suite } from '../registry.js';
import { changeCases } from './su-changes.js';
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
  ...changeCases,
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

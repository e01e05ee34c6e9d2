import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import { type Suite, suite } from '../registry.js';
import { closingCases } from './lc-closing.js';
import { deadBrokerCases } from './lc-dead-broker.js';
import { drainCases } from './lc-drain.js';
import { leakCases } from './lc-leaks.js';
import { resourcesOf } from './support-resources.js';

const PARALLEL = 10;
const CYCLES = 20;
const WATCHED_MS = 200;

/** Starting, pausing, stopping: any number of times, in any order, and nothing stays behind. */
export const LIFECYCLE: Suite = suite('LC', [
  {
    id: 'LC01',
    title: 'ten parallel starts share one connection, and ten parallel closes all resolve',
    requires: ['inspect.connections'],
    async run(t) {
      const before = await t.inspect.connections();
      const single = await t.consumer({ group: 'single' });
      await single.bus.publish(makeEvent());
      const ofOne = (await t.inspect.connections()) - before;
      await single.bus.shutdown();
      await t.until(
        'the connections of one bus to be gone',
        async () => (await t.inspect.connections()) === before,
        { everyMs: 20 },
      );
      const bus = await t.bus({ group: 'parallel' });
      bus.subscribeToAllEvents(() => {});
      const times = <T>(call: () => Promise<T>): Promise<T>[] => Array.from({ length: PARALLEL }, call);
      await Promise.all([
        ...times(() => bus.connect()),
        ...times(() => bus.startConsuming()),
        ...times(() => bus.publish(makeEvent())),
      ]);
      assert.equal(
        (await t.inspect.connections()) - before,
        ofOne,
        'connections of a bus that was started ten times',
      );
      const reports = await Promise.all(times(() => bus.shutdown()));
      assert.ok(reports.every((report) => report.clean));
      await bus.shutdown();
      assert.equal(bus.state, 'closed');
    },
  },
  {
    id: 'LC01',
    title: 'stop before start, and start and stop twenty times, work and leave no listener behind',
    timeoutMs: 120_000,
    async run(t) {
      const untouched = await t.bus({ group: 'untouched' });
      await untouched.stopConsuming();
      const report = await untouched.shutdown();
      assert.equal(report.clean, true);
      const { bus } = await t.consumer();
      await bus.stopConsuming();
      await bus.stopConsuming();
      // Before the count: looking at the broker opens a connection.
      const onBroker = new Set(await t.subject.inspect?.artifacts?.(t.namespace));
      const before = resourcesOf();
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        await bus.startConsuming();
        await bus.startConsuming();
        await bus.stopConsuming();
      }
      await t.until(
        'listeners, sockets and timers to be as before',
        () => resourcesOf().grownSince(before).length === 0,
      );
      await t.until(
        'nothing to be on the broker that was not there before',
        async () => {
          const left = (await t.subject.inspect?.artifacts?.(t.namespace)) ?? [];
          return left.every((name) => onBroker.has(name));
        },
        { everyMs: 20 },
      );
      await bus.startConsuming();
      await t.publish(bus, makeEvents({ keys: 5 }));
      await t.untilHandled(5);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  ...drainCases,
  ...leakCases,
  ...deadBrokerCases,
  ...closingCases,
  {
    id: 'LC08',
    title: 'pause starts no handler, keeps the membership, and loses nothing',
    async run(t) {
      const paused = await t.consumer();
      const { bus } = paused;
      await t.publish(bus, makeEvents({ keys: 10 }));
      await t.untilHandled(10);
      await t.untilQuiet(bus);
      const { rebalanceCount } = bus.stats;
      bus.pause();
      bus.pause();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 3, from: 2 }));
      await t.until('the events to be there', async () => (await bus.lag()).total === 30);
      await staysTrue('no handler starts', () => t.history.of('group').length === 10, WATCHED_MS);
      assert.equal(bus.state, 'ready');
      assert.equal((await bus.health()).consuming, true);
      assert.equal(bus.stats.rebalanceCount, rebalanceCount, 'the membership changed');
      bus.resume();
      await t.untilHandled(40);
      await t.untilQuiet(bus);
      assert.equal(bus.stats.rebalanceCount, rebalanceCount);
      t.expectClean();
    },
  },
  {
    id: 'LC08',
    title: 'closing a bus leaves other buses alive, and `await using` closes',
    async run(t) {
      const other = await t.consumer({ group: 'other' });
      let used: EventBus;
      {
        await using bus = await t.bus();
        used = bus;
        bus.subscribeToAllEvents(() => {});
        await bus.startConsuming();
        await t.publish(bus, makeEvents({ keys: 5 }));
        await t.untilHandled(5, { group: 'other' });
      }
      assert.equal(used.state, 'closed');
      await within(
        'a publish of the other',
        t.publish(other.bus, makeEvents({ keys: 5, from: 2 })),
        t.budget.deliverMs,
      );
      await t.untilHandled(10, { group: 'other' });
      await t.untilQuiet(other.bus);
      assert.equal(other.bus.state, 'ready');
      t.expectClean({ group: 'other' });
    },
  },
  {
    id: 'LC08',
    title: 'a client that was given to a bus outlives it, where a bus can be given one',
    async run(t) {
      if (!t.subject.createOnGivenClient) return;
      const request = { namespace: t.namespace, group: 'group', overrides: {} };
      for (const round of [1, 2]) {
        const { bus, works } = await t.subject.createOnGivenClient(request);
        t.onCleanup(() => bus.shutdown({ timeoutMs: 0 }));
        const handled: string[] = [];
        bus.subscribeToAllEvents(({ eventId }) => void handled.push(eventId));
        await bus.startConsuming();
        const event = makeEvent({ from: round });
        await bus.publish(event);
        await t.until('the event', () => handled.includes(event.eventId), { withinMs: t.budget.takeoverMs });
        await bus.shutdown();
        await within('the client to work without the bus', works(), t.budget.deliverMs);
      }
    },
  },
]);

import assert from 'node:assert/strict';

import type { EventBus, EventBusStats } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue } from '../poll.js';
import { type Suite, suite } from '../registry.js';
import { healthCases } from './st-health.js';
import { gate, quickRetries } from './support.js';

const WATCHED_MS = 200;
const LATENCY_KEYS = ['count', 'p50Ms', 'p95Ms', 'p99Ms', 'maxMs'];

/** The shape of `stats` as JSON: the same on every bus, whatever it has seen. */
const SHAPE: Readonly<Record<keyof EventBusStats, 'number' | 'instant' | 'latency'>> = {
  eventsPublished: 'number',
  eventsConsumed: 'number',
  eventsProcessedSuccess: 'number',
  eventsProcessedFailed: 'number',
  messagesSentToDlq: 'number',
  handlerErrors: 'number',
  reconnections: 'number',
  rebalanceCount: 'number',
  retries: 'number',
  redeliveries: 'number',
  eventsIgnored: 'number',
  eventsDropped: 'number',
  eventsReleased: 'number',
  publishErrors: 'number',
  fencedSettlements: 'number',
  inFlight: 'number',
  pendingPublishes: 'number',
  lastPublishAt: 'instant',
  lastConsumeAt: 'instant',
  lastErrorAt: 'instant',
  connectedAt: 'instant',
  publishLatency: 'latency',
  handlerLatency: 'latency',
};

/** What a bus says of itself is true. */
export const STATS: Suite = suite('ST', [
  {
    id: 'ST01',
    async run(t) {
      const deadLetters = { enabled: false, whenDisabled: 'drop' } as const;
      const keeps = await t.consumer({ group: 'keeps', overrides: quickRetries(2) });
      const drops = await t.consumer({ group: 'drops', overrides: { ...quickRetries(2), deadLetters } });
      const publisher = await t.bus();
      for (let round = 0; round < 3; round += 1) {
        // One in ten fails for good, one in ten for a while.
        await t.publish(
          publisher,
          makeEvents({
            keys: 10,
            perKey: 10,
            from: round * 10 + 1,
            behaviour: (key, sequence) =>
              sequence % 10 === Number(key.slice(-1))
                ? { nonRetryable: true }
                : sequence % 10 === 5
                  ? { failAttempts: 1 }
                  : undefined,
          }),
        );
        for (const { bus } of [keeps, drops]) {
          await t.untilQuiet(bus);
          await assertConserved(bus, publisher);
        }
      }
      for (const { bus } of [keeps, drops]) bus.pause();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 5, from: 100 }));
      for (const { bus } of [keeps, drops]) {
        await t.until('everything published to be pending', async () => (await bus.lag()).total === 50);
        await assertConserved(bus, publisher);
        bus.resume();
        await t.untilQuiet(bus);
        await assertConserved(bus, publisher);
      }
      assert.equal(keeps.bus.stats.messagesSentToDlq, 30);
      assert.equal(drops.bus.stats.eventsDropped, 30);
    },
  },
  {
    id: 'ST02',
    title: "counters equal the recorder's",
    async run(t) {
      const { bus } = await t.consumer({ overrides: quickRetries(2) });
      const events = makeEvents({
        keys: 20,
        perKey: 5,
        behaviour: (_, sequence) =>
          sequence === 2 ? { failAttempts: 1 } : sequence === 4 ? { failAttempts: 99 } : undefined,
      });
      await t.publish(bus, events);
      await t.untilHandled(80);
      await t.untilQuiet(bus);
      const runs = t.history.of('group');
      const { stats } = bus;
      const failed = runs.filter((d) => d.outcome === 'failed').length;
      assert.deepEqual(
        pick(stats, [
          'eventsPublished',
          'eventsConsumed',
          'eventsProcessedSuccess',
          'eventsProcessedFailed',
          'handlerErrors',
          'retries',
          'messagesSentToDlq',
          'redeliveries',
          'inFlight',
          'pendingPublishes',
        ]),
        {
          eventsPublished: 100,
          eventsConsumed: 100,
          eventsProcessedSuccess: runs.filter((d) => d.outcome === 'ok').length,
          eventsProcessedFailed: failed,
          handlerErrors: failed,
          retries: runs.filter((d) => d.attempt > 1).length,
          messagesSentToDlq: 20,
          redeliveries: 0,
          inFlight: 0,
          pendingPublishes: 0,
        },
      );
      assert.equal(stats.handlerLatency.count, 80);
      assertShape(stats);
    },
  },
  {
    id: 'ST02',
    title: "redeliveries equal the recorder's",
    async run(t) {
      const hold = gate();
      t.onCleanup(hold.open);
      const first = await t.consumer({ name: 'first', handler: () => hold.opened });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10 }));
      await t.until('handlers to run', () => t.history.of('group').length === 10);
      await first.bus.shutdown({ timeoutMs: 0 });
      t.gone(first);
      assert.equal(first.bus.stats.eventsReleased, 10);
      assert.equal(first.bus.stats.inFlight, 0);
      const second = await t.consumer({ name: 'second' });
      await t.untilHandled(10, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet(second.bus);
      const again = t.history.of('group', { consumer: 'second' }).filter((d) => d.redelivered);
      assert.equal(second.bus.stats.redeliveries, again.length);
      assert.equal(first.bus.stats.redeliveries, 0);
    },
  },
  {
    id: 'ST02',
    title: 'keys and JSON shape are the same before anything happened',
    async run(t) {
      const bus = await t.bus();
      assertShape(bus.stats);
      for (const [name, kind] of Object.entries(SHAPE)) {
        if (kind === 'number') assert.equal(bus.stats[name as keyof EventBusStats], 0, name);
        if (kind === 'instant') assert.equal(bus.stats[name as keyof EventBusStats], undefined, name);
      }
      const before = bus.stats;
      await bus.publish(makeEvent());
      assert.equal(before.eventsPublished, 0, 'stats are not a snapshot');
    },
  },
  {
    id: 'ST03',
    requires: ['inspect.backlog'],
    async run(t) {
      const { bus } = await t.consumer();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 20 }));
      await t.untilHandled(20);
      await t.untilQuiet(bus);
      bus.pause();
      await t.publish(publisher, makeEvents({ keys: 20, perKey: 5, from: 2 }));
      await t.until('a lag of 100', async () => (await bus.lag()).total === 100);
      await staysTrue(
        'the lag of a paused consumer',
        async () => (await bus.lag()).total === 100,
        WATCHED_MS,
      );
      assert.equal(await t.inspect.backlog(t.namespace, 'group'), 100);
      const { partitions, total, group } = await bus.lag();
      assert.equal(group, 'group');
      assert.equal(
        partitions.reduce((sum, { lag }) => sum + lag, 0),
        total,
      );
      assert.equal((await bus.health()).lag, 100);
      assert.equal(t.history.of('group').length, 20, 'handled while paused');
      // Somebody who consumes nothing sees the same.
      assert.equal((await publisher.lag()).total, 100);
      bus.resume();
      await t.untilHandled(120);
      await t.untilQuiet(bus);
      await t.until('the broker to agree', async () => (await t.inspect.backlog(t.namespace, 'group')) === 0);
      t.expectClean();
    },
  },
  {
    id: 'ST04',
    title: 'never more in flight than allowed, and nothing at rest',
    async run(t) {
      const maxInFlight = 20;
      const inFlight: number[] = [];
      const { bus } = await t.consumer({
        overrides: { maxInFlight, concurrency: 10 },
        handler: async () => {
          inFlight.push(bus.stats.inFlight);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight.push(bus.stats.inFlight);
        },
      });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 50, perKey: 40 }));
      await t.untilHandled(2_000);
      assert.ok(Math.max(...inFlight) <= maxInFlight, `${Math.max(...inFlight)} in flight`);
      assert.ok(Math.max(...inFlight) > 10, 'the bound was never tried');
      await t.untilQuiet(bus);
      assert.equal(bus.stats.inFlight, 0);
      t.expectClean();
    },
  },
  ...healthCases,
]);

/** Everything that the broker confirmed is somewhere, as this group counts. */
async function assertConserved(bus: EventBus, publisher: EventBus): Promise<void> {
  const { eventsProcessedSuccess: ok, messagesSentToDlq: dead, eventsDropped: dropped, ...stats } = bus.stats;
  const { total: pending } = await bus.lag();
  const { eventsPublished: published } = publisher.stats;
  assert.equal(
    ok + dead + dropped + pending,
    published,
    `${ok} ok + ${dead} dead + ${dropped} dropped + ${pending} pending, of ${published} published`,
  );
  const consumed = ok + dead + dropped + stats.eventsIgnored + stats.eventsReleased + stats.inFlight;
  assert.equal(consumed, stats.eventsConsumed, 'what was consumed is not accounted for');
}

function pick(stats: EventBusStats, names: readonly (keyof EventBusStats)[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, stats[name]]));
}

function assertShape(stats: EventBusStats): void {
  assert.deepEqual(Object.keys(stats).sort(), Object.keys(SHAPE).sort());
  const json = JSON.parse(JSON.stringify(stats)) as Record<string, unknown>;
  for (const [name, kind] of Object.entries(SHAPE)) {
    const value = json[name];
    if (kind === 'number') assert.ok(Number.isSafeInteger(value), `${name}: ${String(value)}`);
    else if (kind === 'instant')
      assert.ok(value === undefined || !Number.isNaN(Date.parse(String(value))), `${name}: ${String(value)}`);
    else assert.deepEqual(Object.keys(value as object).sort(), [...LATENCY_KEYS].sort(), name);
  }
}

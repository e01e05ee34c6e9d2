import assert from 'node:assert/strict';

import { createEvent, type DomainEvent, type HandlerContext, PublishError } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import { recordedHandler } from '../recorder.js';
import { type Suite, suite } from '../registry.js';
import { backgroundCases } from './ct-background.js';
import { errorCases } from './ct-errors.js';
import { quickRetries } from './support.js';

/** How long a publish to a paused broker is watched not to resolve. */
const PENDING_MS = 400;

/** The contract of publishing: what is confirmed arrives, once, unchanged. */
export const CONTRACT: Suite = suite('CT', [
  {
    id: 'CT01',
    requires: ['inspect.readRaw'],
    async run(t) {
      const seen: { event: DomainEvent; context: HandlerContext }[] = [];
      const { bus } = await t.consumer({ handler: (event, context) => void seen.push({ event, context }) });
      const sent = createEvent({
        eventType: 'OrderPlaced',
        eventVersion: 3,
        aggregateId: 'order-1',
        aggregateType: 'Order',
        aggregateVersion: 7,
        occurredAt: new Date('2026-01-02T03:04:05.678Z'),
        tenantId: 'tenant-1',
        actorId: 'actor-1',
        causationId: 'cause-1',
        metadata: { source: 'test', nested: { list: [1, 2] } },
        data: { total: 42.5, lines: [{ sku: 'a', count: 2 }], note: null, open: true },
      });
      await t.publish(bus, sent, { headers: { 'X-Request': 'r-1' } });
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      t.expectClean();
      assert.equal(seen.length, 1);
      assert.deepEqual({ ...seen[0]?.event }, { ...sent });
      assert.equal(seen[0]?.context.headers['X-Request'], 'r-1');
      const records = await t.inspect.readRaw(t.namespace);
      assert.deepEqual(
        records.map((r) => r.key),
        ['order-1'],
      );
    },
  },
  {
    id: 'CT02',
    requires: ['faults.pause', 'faults.resume'],
    async run(t) {
      const { bus } = await t.consumer();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 2 }));
      await t.untilHandled(2);
      await t.faults.pause();
      t.onCleanup(() => t.faults.resume());
      let resolved = false;
      const pending = t.publish(publisher, makeEvents({ keys: 2, perKey: 5, from: 2 })).then(() => {
        resolved = true;
      });
      await staysTrue('a publish to a paused broker is pending', () => !resolved, PENDING_MS);
      await t.faults.resume();
      await within('the publish to resolve after the pause', pending, t.budget.recoverMs);
      await t.untilHandled(12, { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'CT03',
    requires: ['inspect.readRaw'],
    async run(t) {
      const { bus } = await t.consumer();
      await bus.connect();
      const before = bus.stats;
      await bus.publish([]);
      await bus.publish([], { background: true });
      assert.deepEqual(bus.stats, before);
      assert.equal((await t.inspect.readRaw(t.namespace)).length, 0);
      // What comes after it is the first thing that arrives.
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      assert.equal(t.history.deliveries.length, 1);
      assert.equal(bus.stats.eventsPublished, 1);
    },
  },
  {
    id: 'CT04',
    async run(t) {
      const { bus } = await t.consumer();
      await t.publish(bus, makeEvents({ keys: 10, perKey: 50 }));
      await t.untilHandled(500);
      await t.untilQuiet(bus);
      assert.equal(t.expectClean().published, 500);
    },
  },
  {
    id: 'CT05',
    async run(t) {
      const { bus } = await t.consumer({ overrides: { maxEventBytes: 10_000 } });
      const events = makeEvents({ keys: ['a', 'b'], perKey: 5 });
      const tooLarge = makeEvent({ key: 'a', from: 3, data: { text: 'x'.repeat(20_000) } });
      const call = events.map((event, index) => (index === 4 ? tooLarge : event));
      const error = await bus.publish(call).then(
        () => assert.fail('a call with an oversize event resolved'),
        (reason: unknown) => reason,
      );
      assert.ok(
        error instanceof PublishError || (error as Error).name === 'PublishError',
        `not a PublishError: ${String(error)}`,
      );
      const { failures, code } = error as PublishError;
      assert.equal(code, 'PAYLOAD_TOO_LARGE');
      assert.deepEqual(
        failures.map((f) => [f.index, f.eventId, f.error.code]),
        [[4, tooLarge.eventId, 'PAYLOAD_TOO_LARGE']],
      );
      // The last events of both keys come behind whatever was sent of the call.
      const fences = makeEvents({ keys: ['a', 'b'], from: 100 });
      await bus.publish(fences);
      await t.until('the fences', () => t.history.deliveries.filter((d) => d.sequence === 100).length === 2);
      await t.untilQuiet(bus);
      const delivered = t.history.deliveries.filter((d) => d.sequence !== 100).map((d) => d.eventId);
      const others = call.filter((event) => event !== tooLarge).map((event) => event.eventId);
      assert.deepEqual(delivered.sort(), t.subject.capabilities.batchAtomic ? [] : others.sort());
    },
  },
  ...backgroundCases,
  {
    id: 'CT07',
    requires: ['inspect.readRaw'],
    async run(t) {
      const { bus } = await t.consumer();
      const cycle: Record<string, unknown> = { name: 'outer' };
      cycle.inner = { back: cycle };
      const unwritable: readonly (readonly [path: string, data: Record<string, unknown>])[] = [
        ['inner.back', cycle],
        ['list[1].run', { list: [{}, { run: () => 1 }] }],
        ['amounts.small', { amounts: { small: 5n } }],
      ];
      for (const [path, data] of unwritable) {
        const error = await bus.publish(makeEvent({ data })).then(
          () => assert.fail(`data that cannot be written at ${path} was published`),
          (reason: unknown) => reason as PublishError,
        );
        assert.equal(error.code, 'SERIALIZATION');
        assert.equal(error.retryable, false);
        assert.ok(error.message.includes(path), `the message does not name ${path}: ${error.message}`);
      }
      assert.equal((await t.inspect.readRaw(t.namespace)).length, 0);
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'CT08',
    title: 'what handlers do to an event is seen neither by their siblings nor by the next attempt',
    async run(t) {
      const bus = await t.bus({ overrides: quickRetries(2) });
      const seen: unknown[] = [];
      const spoil = (event: DomainEvent): void => {
        seen.push(JSON.parse(JSON.stringify(event.data)));
        // Frozen objects refuse it, which is as good.
        for (const target of [event.data, event.data.nested, event.metadata, event]) {
          Reflect.set(target as object, 'spoiled', true);
          Reflect.set(target as object, 'value', 'spoiled');
        }
        (event.data.list as unknown[] | undefined)?.splice?.(0);
      };
      const labels = { group: 'group', consumer: 'c' };
      const tolerant = (event: DomainEvent): void => {
        try {
          spoil(event);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
        }
      };
      bus.subscribeToAllEvents(
        recordedHandler(t.record, { ...labels, handler: 'first' }, (event) => tolerant(event)),
      );
      bus.subscribeToAllEvents(
        recordedHandler(t.record, { ...labels, handler: 'second' }, (event, context) => {
          tolerant(event);
          if (context.attempt < 3) throw new Error('again');
        }),
      );
      await bus.startConsuming();
      await t.publish(bus, makeEvent({ data: { nested: { value: 1 }, list: [1, 2], value: 'x' } }));
      await t.until(
        'four runs',
        () => t.history.deliveries.filter((d) => d.outcome !== 'running').length === 4,
      );
      const original = { n: 1, nested: { value: 1 }, list: [1, 2], value: 'x' };
      assert.deepEqual(seen, [original, original, original, original]);
    },
  },
  {
    id: 'CT08',
    title: 'what the publisher does to an event after the call is seen by nobody',
    async run(t) {
      const seen: unknown[] = [];
      const { bus } = await t.consumer({ handler: (event) => void seen.push(event.data, event.metadata) });
      const nested = { value: 'before' };
      const metadata: Record<string, unknown> = { value: 'before' };
      const event = { ...makeEvent({ data: { nested } }), metadata };
      const list = [event];
      const published = t.publish(bus, list);
      nested.value = 'after';
      metadata.value = 'after';
      list.push(makeEvent({ key: 'other' }));
      await published;
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      assert.deepEqual(seen, [{ n: 1, nested: { value: 'before' } }, { value: 'before' }]);
    },
  },
  {
    id: 'CT09',
    timeoutMs: 60_000,
    async run(t) {
      const { bus } = await t.consumer();
      const buses = await Promise.all(Array.from({ length: 5 }, () => t.bus()));
      const keys = Array.from({ length: 10 }, (_, n) => `shared-${n}`);
      const publishers = Array.from({ length: 50 }, async (_, n) => {
        const own = buses[n % buses.length];
        assert.ok(own);
        const calls: Promise<void>[] = [];
        for (const event of makeEvents({ keys, perKey: 10 })) {
          const call = t.publish(own, event, { publisher: `publisher-${n}` });
          // Half of them wait for each answer, half have all their events outstanding at once.
          if (n % 2 === 0) await call;
          else calls.push(call);
        }
        await Promise.all(calls);
      });
      await Promise.all(publishers);
      await t.untilHandled(5_000, { withinMs: 4 * t.budget.deliverMs });
      await t.untilQuiet(bus);
      assert.equal(t.expectClean({ order: 'publisher-and-key' }).published, 5_000);
    },
  },
  ...errorCases,
]);

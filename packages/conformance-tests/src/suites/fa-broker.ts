import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';

import type { BusError, EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import { pause, within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { failsWith } from './support.js';
import { heapBytes } from './support-measures.js';
import { publishAll } from './support-publishers.js';

const EVENTS = 4_000;
const PUBLISHERS = 4;
const BATCH = 25;
/** Of each publisher. */
const KEYS = 20;
const WHOLE_RUN_MS = 60_000;
/** Publishers go on trying, and nothing is confirmed. */
const OUTAGE_MS = 200;

const CONNECT_TIMEOUT_MS = 1_000;
/** For the attempt that is under way, and for a busy machine. */
const TOLERANCE_MS = 500;
const PATIENT_MS = 60_000;
const TRY_AGAIN_MS = 50;

const BUFFER_BYTES = 8 * 1024 * 1024;
const FILLER_BYTES = 50 * 1024;
/** Twenty times what may be buffered. */
const CALLS = Math.round((20 * BUFFER_BYTES) / FILLER_BYTES);
const GROWTH_BYTES = 50 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** FA02 and FA07: a broker that is killed, and one that is not there yet. */
export const brokerCases: readonly ConformanceCase[] = [
  {
    id: 'FA02',
    requires: ['durable', 'faults.kill', 'faults.start'],
    timeoutMs: 180_000,
    async run(t) {
      // One group reads on through it all, one comes when all is over: it finds what the broker kept.
      await t.consumer();
      const later = await t.bus({ group: 'later' });
      await later.ensureGroup();
      await t.subject.faults?.settle?.();
      const buses = await Promise.all(Array.from({ length: PUBLISHERS }, () => t.bus()));
      await Promise.all(buses.map((publisher) => publisher.connect()));
      let confirmed = 0;
      let confirmedAtMs = 0;
      const onConfirmed = (count: number): void => {
        confirmed += count;
        confirmedAtMs = monotonicMs();
      };
      const publishing = Promise.all(
        buses.map((bus, n) =>
          publishAll(t, bus, { n, events: EVENTS / PUBLISHERS, keys: KEYS, batch: BATCH, onConfirmed }),
        ),
      );
      publishing.catch(() => {});
      t.onCleanup(() => t.faults.start());
      await t.until('half to be confirmed', () => confirmed >= EVENTS / 2, {
        withinMs: WHOLE_RUN_MS,
        everyMs: 1,
      });
      await t.faults.kill();
      const killedAtMs = monotonicMs();
      await t.until(
        'the last confirmation',
        () => monotonicMs() - Math.max(killedAtMs, confirmedAtMs) >= OUTAGE_MS,
        { withinMs: t.budget.recoverMs },
      );
      await t.faults.start();
      await within('the publishers to end', publishing, WHOLE_RUN_MS);
      assert.equal(t.history.published('ok').length, EVENTS, 'publishes that never were confirmed');
      await t.consumer({ group: 'later' });
      for (const group of ['group', 'later']) {
        const withinMs = t.budget.recoverMs + t.budget.deliverMs;
        await t.untilHandled(EVENTS, { group, withinMs, everyMs: 50 });
        t.expectClean({ group, tolerate: ['duplicated'] });
      }
    },
  },
  {
    id: 'FA07',
    title: 'a broker that is down at start: start rejects in time, and works as soon as the broker is there',
    requires: ['faults.stop', 'faults.start'],
    timeoutMs: 120_000,
    async run(t) {
      await prepare(t);
      t.onCleanup(() => t.faults.start());
      await t.faults.stop();
      const bus = await t.recordedBus({ overrides: { connectTimeoutMs: CONNECT_TIMEOUT_MS } });
      const startedAtMs = performance.now();
      const error = await failsWith('startConsuming', 'CONNECT', () => bus.startConsuming());
      assert.equal(error.retryable, true);
      const tookMs = performance.now() - startedAtMs;
      assert.ok(tookMs <= CONNECT_TIMEOUT_MS + TOLERANCE_MS, `startConsuming took ${tookMs.toFixed(0)} ms`);
      const { healthy, reason } = await bus.health();
      assert.equal(healthy, false);
      assert.ok(reason, 'unhealthy without a reason');
      let started = false;
      t.onCleanup(() => {
        started = true;
      });
      const trying = (async () => {
        while (!started) {
          await bus.startConsuming().then(
            () => {
              started = true;
            },
            () => pause(TRY_AGAIN_MS),
          );
        }
      })();
      await t.faults.start();
      await within('startConsuming to work', trying, t.budget.recoverMs);
      await consumes(t);
    },
  },
  {
    id: 'FA07',
    title: 'a start that may take long keeps trying; what waits for the broker is bounded, and arrives',
    requires: ['faults.stop', 'faults.start'],
    timeoutMs: 120_000,
    async run(t) {
      const { sockets } = t.subject.capabilities;
      const patient = { connectTimeoutMs: PATIENT_MS };
      const consumer = await t.recordedBus({ overrides: patient });
      const publisher = await t.bus({
        overrides: { ...patient, publish: { maxBufferedBytes: BUFFER_BYTES } },
      });
      await prepare(t);
      // Without a wire connecting takes no time: there the broker goes down behind buses that are connected.
      if (!sockets) await Promise.all([publisher.connect(), consumer.startConsuming()]);
      t.onCleanup(() => t.faults.start());
      await t.faults.stop();
      const starting = consumer.startConsuming();
      let gaveUp = false;
      starting.catch(() => {
        gaveUp = true;
      });
      const { refused, growthBytes, confirmed } = await publishTooMuch(t, publisher);
      assert.ok(growthBytes < GROWTH_BYTES, `the process grew by ${(growthBytes / MEGABYTE).toFixed(1)} MB`);
      const taken = CALLS - refused();
      assert.ok(taken > 0 && taken < CALLS / 2, `${taken} of ${CALLS} calls were taken`);
      assert.equal(gaveUp, false, 'startConsuming gave up');
      await t.faults.start();
      await within('startConsuming to resolve', starting, t.budget.recoverMs);
      await within('what was taken to be confirmed', confirmed, t.budget.recoverMs);
      assert.equal(t.history.published('ok').length, KEYS + taken);
      await t.untilHandled(KEYS + taken, { withinMs: t.budget.recoverMs });
      t.expectClean();
    },
  },
];

/** A stream with something in it that the group has not seen. */
async function prepare(t: CaseContext): Promise<void> {
  const bus = await t.bus();
  await bus.ensureGroup();
  await t.publish(bus, makeEvents({ keys: KEYS }));
  await bus.shutdown();
}

/** Publishes many times what may wait, in calls that nobody waits for. */
async function publishTooMuch(
  t: CaseContext,
  publisher: EventBus,
): Promise<{ refused(): number; readonly growthBytes: number; readonly confirmed: Promise<unknown> }> {
  const filler = 'x'.repeat(FILLER_BYTES);
  const failures: BusError[] = [];
  const calls: Promise<void>[] = [];
  heapBytes();
  const before = process.memoryUsage().rss;
  let most = before;
  for (let n = 1; n <= CALLS; n += 1) {
    const call = t.publish(publisher, makeEvent({ key: `key-${n}`, data: { filler } }));
    calls.push(call.catch((error: BusError) => void failures.push(error)));
    await turn();
    most = Math.max(most, process.memoryUsage().rss);
  }
  const refused = (): number => {
    const others = failures.filter(({ code }) => code !== 'BACKPRESSURE');
    assert.deepEqual(others.map(String), [], 'publishes failed otherwise');
    return failures.length;
  };
  return { refused, growthBytes: most - before, confirmed: Promise.all(calls).then(refused) };
}

/** All that there is, and what comes. */
async function consumes(t: CaseContext): Promise<void> {
  await t.publish(await t.bus(), makeEvents({ keys: KEYS, from: 2 }));
  await t.untilHandled(2 * KEYS, { withinMs: t.budget.recoverMs });
  t.expectClean();
}

import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { makeEvents } from '../events.js';
import { type Suite, suite } from '../registry.js';
import { idleCases } from './ld-idle.js';
import { rateCases } from './ld-rate.js';
import { soakCases } from './ld-soak.js';
import { heapBytes } from './support-measures.js';

const CAP = 10;
const MAX_IN_FLIGHT = 100;
const HEAP_GROWTH_BYTES = 50 * 1024 * 1024;
const CALL = 1_000;
/** Slower than any broker stores events, also on a machine that others use. */
const SLOW_HANDLER_MS = 20;

/** Under load, and at rest: bounded, and cheap. */
export const LOAD: Suite = suite('LD', [
  ...rateCases,
  {
    id: 'LD02',
    timeoutMs: 90_000,
    async run(t) {
      // A broker inside the process keeps the events in the same heap: fewer of them there.
      const total = t.subject.capabilities.sockets ? 60_000 : 10_000;
      const inFlight: number[] = [];
      const bus = await t.bus({ overrides: { maxInFlight: MAX_IN_FLIGHT, concurrency: 1 } });
      bus.subscribeToAllEvents(async () => {
        inFlight.push(bus.stats.inFlight);
        await new Promise((resolve) => setTimeout(resolve, SLOW_HANDLER_MS));
      });
      const publisher = await t.bus();
      await bus.ensureGroup();
      await publishUnrecorded(publisher, 1_000);
      await bus.startConsuming();
      await t.until('the consumer to be at work', () => inFlight.length > 10);
      const before = heapBytes();
      const grown: number[] = [];
      const rates = await publishUnrecorded(publisher, total, () => grown.push(heapBytes() - before));
      const handledMeanwhile = inFlight.length;
      await t.until('the consumer to go on', () => inFlight.length > handledMeanwhile + 50);
      grown.push(heapBytes() - before);
      assert.ok(
        handledMeanwhile < total / 20,
        `the handler was not slower: ${handledMeanwhile} handled, ${total} published in ${rates} ms`,
      );
      assert.ok(Math.max(...inFlight) <= MAX_IN_FLIGHT, `${Math.max(...inFlight)} in flight`);
      const most = Math.max(...grown);
      assert.ok(most < HEAP_GROWTH_BYTES, `the heap grew by ${Math.round(most / 1024 / 1024)} MiB`);
    },
  },
  {
    id: 'LD03',
    async run(t) {
      let running = 0;
      let most = 0;
      const { bus } = await t.consumer({
        overrides: { concurrency: CAP },
        handler: async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, 10));
          running -= 1;
        },
      });
      await t.publish(bus, makeEvents({ keys: 100, perKey: 4 }));
      await t.untilHandled(400);
      await t.untilQuiet(bus);
      assert.equal(most, CAP);
      t.expectClean();
    },
  },
  ...soakCases,
  ...idleCases,
]);

/** Publishes events of one KiB as fast as it goes. Returns the milliseconds it took. */
async function publishUnrecorded(bus: EventBus, count: number, afterCall?: () => void): Promise<number> {
  const startedAtMs = performance.now();
  const filler = 'x'.repeat(700);
  for (let sent = 0; sent < count; sent += CALL) {
    await bus.publish(makeEvents({ keys: 50, perKey: CALL / 50, data: { filler } }));
    if ((sent / CALL) % 10 === 9) afterCall?.();
  }
  return performance.now() - startedAtMs;
}

import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { median, quickRetries } from './support.js';
import { percentile } from './support-measures.js';

const WINDOWS = 3;
const EVENTS_PER_WINDOW = 100;
/** What the scheduler of a busy machine adds to one in a hundred events, whoever else consumes. */
const NOISE_MS = 10;

/** FG02: what one group goes through does not make another wait. */
export const independenceCases: readonly ConformanceCase[] = [
  {
    id: 'FG02',
    title: 'a group that fails, or stands still, leaves the latency of another as it was',
    timeoutMs: 60_000,
    async run(t) {
      const startedAtMs = new Map<string, number>();
      await t.consumer({
        group: 'b',
        handler: (event) => void startedAtMs.set(event.eventId, monotonicMs()),
      });
      const publisher = await t.bus();
      const baselineMs = median(await p99OfWindows(t, publisher, startedAtMs));
      const a = await t.consumer({
        group: 'a',
        overrides: { ...quickRetries(3, 5), startFrom: 'latest' },
        handler: () => Promise.reject(new Error('always fails')),
      });
      const whileFailingMs = Math.min(...(await p99OfWindows(t, publisher, startedAtMs)));
      assert.ok(t.history.of('a').length > EVENTS_PER_WINDOW, 'the other group was meant to fail meanwhile');
      await a.bus.stopConsuming();
      const whileStoppedMs = Math.min(...(await p99OfWindows(t, publisher, startedAtMs)));
      const limitMs = 2 * Math.max(baselineMs, NOISE_MS);
      const seen = `p99 ${baselineMs.toFixed(1)} ms alone, ${whileFailingMs.toFixed(1)} ms beside a failing group, ${whileStoppedMs.toFixed(1)} ms beside a stopped one`;
      assert.ok(whileFailingMs <= limitMs && whileStoppedMs <= limitMs, seen);
    },
  },
];

/** The 99th percentile of publish to handler, of each of some windows. */
async function p99OfWindows(
  t: CaseContext,
  publisher: EventBus,
  startedAtMs: ReadonlyMap<string, number>,
): Promise<number[]> {
  const results: number[] = [];
  for (let window = 0; window < WINDOWS; window += 1) {
    const latenciesMs: number[] = [];
    for (let n = 0; n < EVENTS_PER_WINDOW; n += 1) {
      const event = makeEvent({ key: `key-${n % 10}`, from: 1 });
      const atMs = monotonicMs();
      await publisher.publish(event);
      await t.until('the event to be handled', () => startedAtMs.has(event.eventId), { everyMs: 1 });
      latenciesMs.push((startedAtMs.get(event.eventId) ?? Number.NaN) - atMs);
    }
    results.push(percentile(latenciesMs, 0.99));
  }
  return results;
}

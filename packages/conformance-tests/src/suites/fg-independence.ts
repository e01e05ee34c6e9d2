import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { median, quickRetries } from './support.js';
import { percentile } from './support-measures.js';

const BASELINE_WINDOWS = 3;
/** A bus whose groups disturb each other is slow in all of them; a machine that is busy is not busy evenly. */
const MOST_WINDOWS = 8;
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
      const window = (): Promise<number> => p99OfWindow(t, publisher, startedAtMs);
      const baseline: number[] = [];
      while (baseline.length < BASELINE_WINDOWS) baseline.push(await window());
      const baselineMs = median(baseline);
      const limitMs = 2 * Math.max(baselineMs, NOISE_MS);
      const a = await t.consumer({
        group: 'a',
        overrides: { ...quickRetries(3, 5), startFrom: 'latest' },
        handler: () => Promise.reject(new Error('always fails')),
      });
      const whileFailingMs = await bestWindow(window, limitMs);
      await t.until('the other group to have failed', () => t.history.of('a').length > EVENTS_PER_WINDOW);
      await a.bus.stopConsuming();
      const whileStoppedMs = await bestWindow(window, limitMs);
      const seen = `p99 ${baselineMs.toFixed(1)} ms alone, ${whileFailingMs.toFixed(1)} ms beside a failing group, ${whileStoppedMs.toFixed(1)} ms beside a stopped one`;
      assert.ok(whileFailingMs <= limitMs && whileStoppedMs <= limitMs, seen);
    },
  },
];

/** The shortest of some windows; ends with the first that is short enough. */
async function bestWindow(window: () => Promise<number>, limitMs: number): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let n = 0; n < MOST_WINDOWS && bestMs > limitMs; n += 1) bestMs = Math.min(bestMs, await window());
  return bestMs;
}

/** The 99th percentile of publish to handler. */
async function p99OfWindow(
  t: CaseContext,
  publisher: EventBus,
  startedAtMs: ReadonlyMap<string, number>,
): Promise<number> {
  const latenciesMs: number[] = [];
  for (let n = 0; n < EVENTS_PER_WINDOW; n += 1) {
    const event = makeEvent({ key: `key-${n % 10}`, from: 1 });
    const atMs = monotonicMs();
    await publisher.publish(event);
    await t.until('the event to be handled', () => startedAtMs.has(event.eventId), { everyMs: 1 });
    latenciesMs.push((startedAtMs.get(event.eventId) ?? Number.NaN) - atMs);
  }
  return percentile(latenciesMs, 0.99);
}

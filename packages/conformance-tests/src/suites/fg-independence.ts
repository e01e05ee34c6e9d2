import assert from 'node:assert/strict';

import type { EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { quickRetries } from './support.js';
import { percentile } from './support-measures.js';

/** A bus whose groups disturb each other is slow in all of them; a machine that is busy is not busy evenly. */
const WINDOWS_MS = 10_000;
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
      const alone = await observed(t, t.newNamespace());
      const beside = await observed(t, t.namespace);
      const a = await t.consumer({
        group: 'a',
        overrides: { ...quickRetries(2, 20), startFrom: 'latest' },
        handler: () => Promise.reject(new Error('always fails')),
      });
      const whileFailing = await bestWindow(alone, beside);
      assert.ok(whileFailing.isEven, `beside a failing group: ${whileFailing.seen}`);
      await t.until('the other group to have failed', () => t.history.of('a').length > EVENTS_PER_WINDOW);
      await a.bus.stopConsuming();
      const whileStopped = await bestWindow(alone, beside);
      assert.ok(whileStopped.isEven, `beside a stopped group: ${whileStopped.seen}`);
    },
  },
];

/** Publishes one event; resolves with how long it took until its handler began. */
type Probe = (n: number) => Promise<number>;

/** A group whose latency is measured, in a stream of its own. */
async function observed(t: CaseContext, namespace: string): Promise<Probe> {
  const startedAtMs = new Map<string, number>();
  await t.consumer({
    namespace,
    group: 'b',
    handler: (event) => void startedAtMs.set(event.eventId, monotonicMs()),
  });
  const publisher: EventBus = await t.bus({ namespace });
  return async (n) => {
    const event = makeEvent({ key: `key-${n % 10}`, from: 1 });
    const atMs = monotonicMs();
    await publisher.publish(event);
    await t.until('the event to be handled', () => startedAtMs.has(event.eventId), { everyMs: 1 });
    return (startedAtMs.get(event.eventId) ?? Number.NaN) - atMs;
  };
}

interface Comparison {
  readonly isEven: boolean;
  readonly seen: string;
}

/** One event in each stream in turn, so that both meet the same machine; ends with the first window that is even. */
async function bestWindow(alone: Probe, beside: Probe): Promise<Comparison> {
  let comparison: Comparison = { isEven: false, seen: 'nothing' };
  const giveUpAtMs = monotonicMs() + WINDOWS_MS;
  while (!comparison.isEven && monotonicMs() < giveUpAtMs) comparison = await compare(alone, beside);
  return comparison;
}

async function compare(alone: Probe, beside: Probe): Promise<Comparison> {
  const aloneMs: number[] = [];
  const besideMs: number[] = [];
  for (let n = 0; n < EVENTS_PER_WINDOW; n += 1) {
    aloneMs.push(await alone(n));
    besideMs.push(await beside(n));
  }
  const [p99AloneMs, p99BesideMs] = [percentile(aloneMs, 0.99), percentile(besideMs, 0.99)];
  return {
    isEven: p99BesideMs <= 2 * Math.max(p99AloneMs, NOISE_MS),
    seen: `p99 ${p99BesideMs.toFixed(1)} ms, alone at the same time ${p99AloneMs.toFixed(1)} ms`,
  };
}

import assert from 'node:assert/strict';

import type { CaseContext } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import { recordedHandler } from '../recorder.js';
import type { ConformanceCase } from '../registry.js';
import { ManualClock } from './manual-clock.js';
import { bestOf } from './support-measures.js';

/** How much later than its policy an attempt may come. */
const TOLERANCE_MS = 150;
/** The machine's timers and its monotonic clock do not tick together. */
const CLOCK_SKEW_MS = 2;

/** RT03 and RT04: when the next attempt comes, and who waits for it. */
export const backoffCases: readonly ConformanceCase[] = [
  {
    id: 'RT03',
    title: 'waits grow by the policy up to its cap',
    async run(t) {
      const retry = { maxRetries: 4, baseDelayMs: 100, factor: 2, maxDelayMs: 350, jitter: 0 };
      await bestOf(3, async (round) => {
        const group = `round-${round}`;
        const gaps = await gapsOf(t, group, retry, { keys: 3, failAttempts: 4 });
        for (const [index, policyMs] of [100, 200, 350, 350].entries()) {
          for (const own of gaps) assertWithin(own[index], policyMs, policyMs);
        }
      });
    },
  },
  {
    id: 'RT03',
    title: 'jitter spreads waits to both sides, within its range and the cap',
    async run(t) {
      const retry = { maxRetries: 1, baseDelayMs: 200, factor: 1, maxDelayMs: 260, jitter: 0.5 };
      await bestOf(3, async (round) => {
        const gaps = (await gapsOf(t, `round-${round}`, retry, { keys: 40, failAttempts: 1 })).flat();
        for (const gap of gaps) assertWithin(gap, 100, 260);
        assert.ok(
          Math.min(...gaps) < 200 && Math.max(...gaps) > 200,
          `all on one side: ${gaps.map(Math.round).join(', ')}`,
        );
      });
    },
  },
  {
    id: 'RT03',
    title: 'waits are exactly those of the policy, by a clock moved by hand where the bus takes one',
    async run(t) {
      if (!t.subject.createTimed) return;
      const retry = { maxRetries: 5, baseDelayMs: 1_000, factor: 3, maxDelayMs: 20_000, jitter: 0.2 };
      // Jitter takes the lowest, the middle and the highest value in turn.
      const spread = [0, 0.5, 1, 0.5, 1];
      const expected = [800, 3_000, 10_800, 20_000, 20_000];
      const clock = new ManualClock();
      let draws = 0;
      const random = (): number => spread[draws++] ?? 0.5;
      const request = { namespace: t.namespace, group: 'group', overrides: { retry, handlerTimeoutMs: 0 } };
      const bus = await t.subject.createTimed(request, { clock, random });
      t.onCleanup(() => bus.shutdown({ timeoutMs: 0 }));
      const startsMs: number[] = [];
      bus.subscribeToAllEvents((_, { attempt }) => {
        startsMs.push(clock.now());
        if (attempt <= 5) throw new Error('not yet');
      });
      await bus.startConsuming();
      await bus.publish(makeEvent());
      await t.until('six attempts', async () => {
        // Only when nothing is left to be done at this time does time go on.
        await clock.settle();
        if (startsMs.length > 0 && bus.stats.inFlight > 0) clock.advanceToNext();
        return startsMs.length === 6;
      });
      assert.deepEqual(
        startsMs.slice(1).map((at, n) => at - (startsMs[n] ?? 0)),
        expected,
      );
    },
  },
  {
    id: 'RT04',
    async run(t) {
      const retry = { maxRetries: 1, baseDelayMs: 3_000, maxDelayMs: 3_000, jitter: 0 };
      const { bus } = await t.consumer({ overrides: { retry } });
      const waiting = makeEvent({ key: 'waits', behaviour: { failAttempts: 1 } });
      await t.publish(bus, waiting);
      const first = await t.until('the first attempt', () =>
        t.history.of('group').find((d) => d.outcome === 'failed'),
      );
      const others = makeEvents({ keys: 50 });
      await t.publish(bus, others);
      await t.untilHandled(50, { withinMs: 1_000 });
      const neighbours = t.history
        .of('group')
        .filter((d) => d.key !== 'waits' && d.partition === first.partition);
      assert.ok(neighbours.length > 0, 'none of the others shared the partition of the one that waits');
      await t.untilHandled(51);
      const [, second] = t.history.of('group').filter((d) => d.eventId === waiting.eventId);
      assertWithin((second?.startedAtMs ?? 0) - (first.endedAtMs ?? 0), 3_000, 3_000 + t.budget.deliverMs);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
];

/** Waits between the attempts of each event, from the end of one to the start of the next. */
async function gapsOf(
  t: CaseContext,
  group: string,
  retry: Readonly<Record<string, number>>,
  { keys, failAttempts }: { readonly keys: number; readonly failAttempts: number },
): Promise<number[][]> {
  const namespace = t.newNamespace();
  const bus = await t.bus({ namespace, group, overrides: { retry } });
  bus.subscribeToAllEvents(
    recordedHandler(t.record, { group, consumer: group }, (_, { attempt }) => {
      if (attempt <= failAttempts) throw new Error(`fails in attempt ${attempt}`);
    }),
  );
  await bus.startConsuming();
  const events = makeEvents({ keys });
  await t.publish(bus, events);
  await t.untilHandled(keys, { group });
  await bus.shutdown();
  return events.map(({ eventId }) => {
    const runs = t.history.of(group).filter((d) => d.eventId === eventId);
    assert.equal(runs.length, failAttempts + 1);
    return runs.slice(1).map((run, n) => run.startedAtMs - (runs[n]?.endedAtMs ?? Number.NaN));
  });
}

function assertWithin(gapMs: number | undefined, fromMs: number, toMs: number): void {
  const seen = gapMs ?? Number.NaN;
  assert.ok(
    seen >= fromMs - CLOCK_SKEW_MS && seen <= toMs + TOLERANCE_MS,
    `waited ${seen.toFixed(1)} ms; the policy says ${fromMs} to ${toMs} ms, and at most ${TOLERANCE_MS} ms more`,
  );
}

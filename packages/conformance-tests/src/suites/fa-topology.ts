import assert from 'node:assert/strict';

import type { BusStatus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import { makeEvents } from '../events.js';
import { pause } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { statusesOf } from './support.js';

const KEYS = 20;
/** Enough for every partition to have some. */
const MANY_KEYS = 100;
const PUBLISH_EVERY_MS = 100;
const ERRORS_PER_SECOND = 10;
const SECOND_MS = 1_000;

/** FA10: somebody removes what the bus made on the broker, while it is at work. */
export const topologyCases: readonly ConformanceCase[] = [
  {
    id: 'FA10',
    title:
      'what was removed from the broker is made anew in time; one error tells of it; consumption goes on',
    requires: ['faults.removeTopology'],
    timeoutMs: 120_000,
    async run(t) {
      const bus = await t.recordedBus();
      const started = statusesOf(bus);
      await bus.startConsuming();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: KEYS }));
      await t.untilHandled(KEYS);
      await t.untilQuiet(bus);
      const owned = ownedBy(started);
      const told = [statusesOf(bus), statusesOf(publisher)] as const;
      await t.faults.removeTopology(t.namespace);
      const removedAtMs = monotonicMs();
      let publishing = true;
      t.onCleanup(() => {
        publishing = false;
      });
      let sequence = 2;
      const calls = (async () => {
        // Each call by itself: what is confirmed after the removal has to arrive.
        const settled: Promise<unknown>[] = [];
        for (; publishing; sequence += 1) {
          settled.push(
            t.publish(publisher, makeEvents({ keys: KEYS, from: sequence })).catch(() => undefined),
          );
          await pause(PUBLISH_EVERY_MS);
        }
        await Promise.all(settled);
      })();
      await t.until('what was published after it to be handled', () => t.history.handled('group') > KEYS, {
        withinMs: t.budget.recoverMs,
        everyMs: 20,
      });
      const recoveredMs = monotonicMs() - removedAtMs;
      publishing = false;
      await calls;
      await t.until('the group to have all partitions again', () => ownedBy(started) === owned, {
        withinMs: t.budget.recoverMs,
        everyMs: 20,
      });
      const again = makeEvents({
        keys: Array.from({ length: MANY_KEYS }, (_, n) => `again-${n}`),
        type: 'Again',
      });
      await t.publish(publisher, again);
      // A group that a broker makes anew has what came since then, and what came since the stream exists if it is kept.
      const kept = t.subject.capabilities.retained;
      const meantFor = ({ eventType }: { readonly eventType: string }): boolean =>
        kept || eventType === 'Again';
      await t.until('all that was confirmed to be handled', () => t.check({ meantFor }).lost.length === 0, {
        withinMs: t.budget.recoverMs,
        everyMs: 50,
      });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      t.expectClean({
        meantFor,
        tolerate: ['duplicated', 'recovered', ...(kept ? [] : (['unexpected'] as const))],
      });
      for (const statuses of told) {
        const errors = statuses.filter(isError);
        assert.ok(errors.length <= 1, `${errors.length} errors: ${errors.map(textOf).join('; ')}`);
        const most = mostPerSecond(errors);
        assert.ok(most <= ERRORS_PER_SECOND, `${most} errors in one second`);
      }
      const all = told.flat().filter(isError);
      assert.ok(all.length >= 1, `nobody was told, in the ${recoveredMs.toFixed(0)} ms that it took`);
    },
  },
];

type ErrorStatus = Extract<BusStatus, { type: 'error' }>;

function isError(status: BusStatus): status is ErrorStatus {
  return status.type === 'error';
}

/** How many partitions the group was last told to have, in words that differ where they do. */
function ownedBy(statuses: readonly BusStatus[]): string {
  const last = statuses.filter((status) => status.type === 'rebalanced').at(-1);
  return last ? last.partitions.join() : '';
}

function textOf({ error }: ErrorStatus): string {
  return `${error.code} ${error.message}`;
}

function mostPerSecond(statuses: readonly BusStatus[]): number {
  return Math.max(
    0,
    ...statuses.map(
      ({ atMs }) => statuses.filter((other) => other.atMs >= atMs && other.atMs < atMs + SECOND_MS).length,
    ),
  );
}

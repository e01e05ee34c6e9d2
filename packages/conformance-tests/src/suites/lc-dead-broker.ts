import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import { makeEvent } from '../events.js';
import { within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { failsWith } from './support.js';

const CONNECT_TIMEOUT_MS = 1_500;
/** For the last attempt that is under way, and for a busy machine. */
const TOLERANCE_MS = 500;
/** How soon a bus must close that is not connected. */
const CLOSE_MS = 1_000;

/** LC05: a broker that is not there is told in time, and never keeps a bus from closing. */
export const deadBrokerCases: readonly ConformanceCase[] = [
  {
    id: 'LC05',
    title: 'connecting to a broker that refuses, or says nothing, is given up in time',
    requires: ['faults.throughProxy'],
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const overrides = { connectTimeoutMs: CONNECT_TIMEOUT_MS };
      // A broker inside the process has no wire that could go silent.
      const deaths = t.subject.capabilities.sockets
        ? (['refuse', 'halfOpen'] as const)
        : (['refuse'] as const);
      for (const death of deaths) {
        const bus = await t.bus({ through: way, overrides });
        await way.network[death]();
        const startedAtMs = monotonicMs();
        const error = await failsWith(`connect (${death})`, 'CONNECT', () =>
          within('connect', bus.connect(), t.budget.recoverMs),
        );
        const tookMs = monotonicMs() - startedAtMs;
        assert.ok(
          tookMs <= CONNECT_TIMEOUT_MS + TOLERANCE_MS,
          `${death}: connect took ${tookMs.toFixed(0)} ms`,
        );
        assert.equal(error.retryable, true);
        await way.network.heal();
        await within('connect after healing', bus.connect(), t.budget.recoverMs);
        await bus.publish(makeEvent());
        await bus.shutdown();
      }
    },
  },
  {
    id: 'LC05',
    title: 'close during connect, and while reconnecting, resolves within a second',
    requires: ['faults.throughProxy'],
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const connecting = await t.bus({ through: way, overrides: { connectTimeoutMs: 60_000 } });
      const consuming = await t.consumer({ through: way });
      const publishing = await t.bus({ through: way });
      await publishing.publish(makeEvent());
      await way.network.refuse();
      await way.network.cut();
      const attempt = connecting.connect().then(
        () => 'connected',
        (error: { code?: string }) => error.code,
      );
      const publish = publishing.publish(makeEvent({ from: 2 })).then(
        () => 'published',
        (error: { code?: string }) => error.code,
      );
      for (const [what, bus] of Object.entries({ connecting, consuming: consuming.bus, publishing })) {
        const startedAtMs = monotonicMs();
        await within(
          `close of the bus that is ${what}`,
          bus.shutdown({ timeoutMs: 200 }),
          t.budget.recoverMs,
        );
        const tookMs = monotonicMs() - startedAtMs;
        assert.ok(tookMs <= CLOSE_MS, `${what}: close took ${tookMs.toFixed(0)} ms`);
      }
      assert.notEqual(await within('connect', attempt, CLOSE_MS), 'connected');
      assert.notEqual(await within('publish', publish, CLOSE_MS), 'published');
    },
  },
];

import assert from 'node:assert/strict';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { within } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { quickRetries } from './support.js';
import { resourcesOf } from './support-resources.js';

/** How soon a process that has closed its bus must have nothing left to do. */
const EXIT_MS = 1_000;

/** LC04: nothing of a closed bus is left, in the process or on the broker. */
export const leakCases: readonly ConformanceCase[] = [
  {
    id: 'LC04',
    title: 'after close a process ends by itself',
    requires: ['processes'],
    timeoutMs: 60_000,
    async run(t) {
      const { namespace } = t;
      const spec = { namespace, group: 'group', overrides: quickRetries(1, 60_000) };
      // One event waits for its retry: a timer that must not keep the process alive.
      const consumer = await t.processes.spawn({ role: 'consumer', name: 'consumer', ...spec });
      const publisher = await t.processes.spawn({ role: 'publisher', name: 'publisher', ...spec });
      const own = await t.bus();
      await t.publish(
        own,
        makeEvents({ keys: 5, behaviour: (key) => (key === 'key-0' ? { failAttempts: 1 } : undefined) }),
      );
      await t.untilHandled(4);
      await publisher.call('publish', { keys: ['p'], perKey: 3, from: 1, batch: 1, untilConfirmed: true });
      for (const child of [consumer, publisher]) {
        await child.call('shutdown', 2_000);
        await child.call('leave');
        const { code, signal } = await within(`${child.name} to end by itself`, child.exited, EXIT_MS);
        assert.deepEqual([code, signal], [0, null]);
      }
    },
  },
  {
    id: 'LC04',
    title: 'sockets, timers, listeners and what is on the broker are as before',
    requires: ['inspect.connections', 'inspect.artifacts'],
    timeoutMs: 60_000,
    async run(t) {
      // What is made once and stays (a topic, a group, a thread pool) is there before it is counted.
      await useAndClose(t, 'first');
      // Looked at first, so that what looking needs itself is counted among what was there before.
      const broker = await onBroker(t);
      const resources = resourcesOf();
      for (const group of ['second', 'third']) await useAndClose(t, group);
      await t.until('resources of this process to be as before', () => {
        const grown = resourcesOf().grownSince(resources);
        if (grown.length > 0) throw new Error(grown.join('; '));
        return true;
      });
      await t.until(
        'the broker to be as before',
        async () => {
          assert.deepEqual(await onBroker(t), broker);
          return true;
        },
        { everyMs: 50 },
      );
    },
  },
];

/** A bus in each of its states of work, then closed. */
async function useAndClose(t: CaseContext, label: string): Promise<void> {
  const retry = { maxRetries: 1, baseDelayMs: 60_000, maxDelayMs: 60_000, jitter: 0 };
  const { bus } = await t.consumer({ name: label, overrides: { retry } });
  const ephemeral = await t.consumer({ group: label, overrides: { ephemeralGroup: true } });
  await t.publish(
    bus,
    makeEvents({
      keys: [label, `${label}-waits`],
      behaviour: (key) => (key === label ? undefined : { failAttempts: 1 }),
    }),
  );
  await t.until(
    'both to be tried',
    () => t.history.of('group', { consumer: label }).filter((d) => d.outcome !== 'running').length >= 2,
  );
  for await (const letter of bus.deadLetters.list({ limit: 1 })) void letter;
  await bus.lag();
  await bus.health();
  await bus.shutdown({ timeoutMs: 2_000 });
  await ephemeral.bus.shutdown({ timeoutMs: 2_000 });
}

async function onBroker(t: CaseContext): Promise<unknown> {
  const artifacts = [...(await t.inspect.artifacts(t.namespace))].sort();
  return { connections: await t.inspect.connections(), artifacts };
}

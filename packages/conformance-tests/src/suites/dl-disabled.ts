import assert from 'node:assert/strict';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { statusesOf } from './support.js';

const retry = { maxRetries: 2, baseDelayMs: 10, factor: 1, jitter: 0 };
/** Many times what the policy's waits take. */
const WATCHED_MS = 400;

/** DL07: without a queue an event is dropped aloud, or everything behind it waits. */
export const disabledCases: readonly ConformanceCase[] = [
  {
    id: 'DL07',
    title: 'drop: counted, told to the hook and by status, and the next event flows',
    async run(t) {
      const dropped: (string | undefined)[] = [];
      const { bus } = await t.consumer({
        overrides: {
          retry,
          deadLetters: {
            enabled: false,
            whenDisabled: 'drop',
            onDrop: (event, error) => dropped.push(`${event?.eventId} ${error.code}`),
          },
        },
      });
      const statuses = statusesOf(bus);
      const failing = makeEvent({ behaviour: { failAttempts: 99 } });
      await t.publish(bus, [failing, ...makeEvents({ perKey: 5, from: 2 })]);
      await t.untilHandled(5);
      await t.untilQuiet(bus);
      assert.equal(t.history.of('group').filter((d) => d.eventId === failing.eventId).length, 3);
      assert.equal(bus.stats.eventsDropped, 1);
      assert.equal(bus.stats.messagesSentToDlq, 0);
      assert.equal(await bus.deadLetters.count(), 0);
      assert.equal(dropped.length, 1);
      assert.ok(dropped[0]?.startsWith(failing.eventId), dropped[0]);
      await t.until(
        'the status',
        () => statuses.filter((s) => s.type === 'dropped' && s.eventId === failing.eventId).length === 1,
      );
      t.expectClean({ givenUp: new Set([failing.eventId]) });
    },
  },
  {
    id: 'DL07',
    title: 'halt: the partition stands still and says so, nothing is lost, nothing spins',
    async run(t) {
      const halting = await t.consumer({
        overrides: { retry, deadLetters: { enabled: false, whenDisabled: 'halt' } },
      });
      const { bus } = halting;
      const statuses = statusesOf(bus);
      const failing = makeEvent({ behaviour: { failAttempts: 3 } });
      await t.publish(bus, [failing, ...makeEvents({ perKey: 5, from: 2 })]);
      await t.until('the status', () => statuses.some((s) => s.type === 'halted'));
      await staysTrue('no further attempt', () => t.history.of('group').length === 3, WATCHED_MS);
      const health = await bus.health();
      assert.equal(health.healthy, false);
      assert.match(health.reason ?? '', /halt/i);
      assert.equal((await bus.lag()).total, 6, 'halted, and acknowledged');
      await bus.shutdown();
      // What made it fail is mended, as after a new deployment.
      const after = await t.consumer({ name: 'mended', handler: () => {} });
      await t.untilHandled(6, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet(after.bus);
      t.expectClean({ tolerate: ['duplicated'] });
    },
  },
];

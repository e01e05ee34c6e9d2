import assert from 'node:assert/strict';

import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { onlyLetterOf } from './support-dead-letters.js';
import { mortalConsumer } from './support-members.js';

const MAX_RETRIES = 4;
/** One attempt may be under way, or not yet noted, when the process is killed. */
const MAX_INVOCATIONS = MAX_RETRIES + 2;

/** RT07: attempts are counted across deaths of the process. */
export const restartCases: readonly ConformanceCase[] = [
  {
    id: 'RT07',
    requires: ['durable'],
    timeoutMs: 90_000,
    async run(t) {
      const overrides = { retry: { maxRetries: MAX_RETRIES, baseDelayMs: 400, factor: 1, jitter: 0 } };
      const first = await mortalConsumer(t, { name: 'first', overrides });
      const admin = await t.bus();
      const event = makeEvent({ behaviour: { failAttempts: 99 } });
      await t.publish(admin, event);
      const runs = () => t.history.of('group').filter((d) => d.eventId === event.eventId);
      await t.until(
        'the second attempt to fail',
        () => runs().filter((d) => d.outcome === 'failed').length === 2,
      );
      await first.kill();
      await mortalConsumer(t, { name: 'second', overrides });
      await t.until('the dead letter', async () => (await admin.deadLetters.count()) > 0, {
        withinMs: t.budget.takeoverMs + t.budget.deliverMs,
        everyMs: 50,
      });
      const letter = await onlyLetterOf(admin);
      assert.equal(letter.eventId, event.eventId);
      assert.ok(runs().length <= MAX_INVOCATIONS, `${runs().length} invocations`);
      const secondLife = runs().filter((d) => d.consumer === 'second');
      assert.ok(
        secondLife.length > 0 && secondLife.every((d) => d.attempt >= 2),
        'the attempts of the first life were forgotten',
      );
      await t.publish(admin, makeEvent({ from: 2 }));
      await t.untilHandled(1);
    },
  },
];

import assert from 'node:assert/strict';

import type { CaseContext } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { onlyLetterOf } from './support-dead-letters.js';

const MAX_RETRIES = 2;
const BYSTANDERS = 20;

/** PO07: an event that kills whoever handles it ends as a dead letter, and no other event with it. */
export const crashLoopCases: readonly ConformanceCase[] = [
  {
    id: 'PO07',
    requires: ['processes'],
    timeoutMs: 180_000,
    async run(t) {
      const admin = await t.bus();
      await admin.ensureGroup();
      const killer = makeEvent({ key: 'killer', behaviour: { dieAttempts: 99 } });
      const behind = makeEvents({ keys: ['killer'], perKey: 3, from: 2 });
      const bystanders = makeEvents({ keys: BYSTANDERS, perKey: 2 });
      await t.publish(admin, [killer, ...behind, ...bystanders]);
      const deaths = await surviveDeaths(t);
      const letter = await onlyLetterOf(admin);
      assert.deepEqual([letter.source.position !== '', letter.reason], [true, 'crash']);
      assert.deepEqual(letter.key, 'killer');
      assert.equal(Buffer.from(letter.raw).includes(killer.eventId), true, 'another event was given up');
      assert.equal(deaths, MAX_RETRIES + 1);
      await t.untilHandled(behind.length + bystanders.length);
      await t.until('no lag to be left', async () => (await admin.lag()).total === 0, { everyMs: 50 });
      t.expectClean({ givenUp: new Set([killer.eventId]), tolerate: ['duplicated'] });
      assert.equal(t.check({ givenUp: new Set([killer.eventId]) }).lost.length, 0);
    },
  },
];

/** Starts a consumer again each time it died, until it has lived long enough to give the event up. Returns the deaths. */
async function surviveDeaths(t: CaseContext): Promise<number> {
  const { namespace } = t;
  const admin = await t.bus();
  const overrides = { retry: { maxRetries: MAX_RETRIES, baseDelayMs: 10, jitter: 0 } };
  for (let deaths = 0; deaths <= MAX_RETRIES + 1; deaths += 1) {
    const child = t.processes.launch({
      role: 'consumer',
      name: `life-${deaths + 1}`,
      namespace,
      group: 'group',
      overrides,
    });
    const ended = await Promise.race([
      child.exited.then(() => 'died' as const),
      t.until('the dead letter, or another death', async () => (await admin.deadLetters.count()) > 0, {
        withinMs: 2 * t.budget.takeoverMs + t.budget.deliverMs,
        everyMs: 100,
      }),
    ]);
    if (ended !== 'died') return deaths;
  }
  throw new Error(`the event was not given up after ${MAX_RETRIES + 2} deaths`);
}

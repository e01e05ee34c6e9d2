import assert from 'node:assert/strict';

import type { HandlerContext } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { failsWith, quickRetries } from './support.js';
import { lettersOf, onlyLetterOf } from './support-dead-letters.js';

const CONTESTED = 20;

/** DL04 (the trace is looked at by TR04) and DL08: a dead letter goes back to the group that failed. */
export const replayCases: readonly ConformanceCase[] = [
  {
    id: 'DL04',
    title: 'a replayed event is processed once, by the failing group only, as if it came for the first time',
    async run(t) {
      let broken = true;
      const contexts: HandlerContext[] = [];
      const a = await t.consumer({
        group: 'a',
        overrides: quickRetries(1),
        handler: (_, context) => {
          contexts.push(context);
          if (broken) throw new Error('broken');
        },
      });
      const b = await t.consumer({ group: 'b', handler: () => {} });
      const event = makeEvent();
      const headers = { 'X-Request-Id': 'r-1', lower: 'v' };
      await t.publish(a.bus, event, { headers });
      await t.until('the dead letter', () => a.bus.stats.messagesSentToDlq === 1);
      await t.untilHandled(1, { group: 'b' });
      broken = false;
      const letter = await onlyLetterOf(a.bus);
      assert.equal(letter.replayCount, 0);
      assert.equal(await a.bus.deadLetters.replay(letter), 1);
      await t.untilHandled(1, { group: 'a' });
      await t.untilQuiet(a.bus);
      await t.untilQuiet(b.bus);
      assert.deepEqual(
        t.history.of('a').map((d) => [d.eventId, d.attempt]),
        [
          [event.eventId, 1],
          [event.eventId, 2],
          [event.eventId, 1],
        ],
      );
      assert.equal(t.history.of('b').length, 1, 'another group was given the replayed event');
      for (const [name, value] of Object.entries(headers))
        assert.equal(contexts.at(-1)?.headers[name], value, name);
      assert.equal(contexts.at(-1)?.replay, false, 'that is for history');
      assert.equal(await a.bus.deadLetters.count(), 0, 'the entry is still there');
      assert.equal(await a.bus.deadLetters.replay(letter), 0, 'replayed twice');
    },
  },
  {
    id: 'DL04',
    title: 'replays are counted, guarded by maxReplays, and can be forced',
    async run(t) {
      let broken = true;
      const { bus } = await t.consumer({
        overrides: { ...quickRetries(0), deadLetters: { maxReplays: 1 } },
        handler: () => {
          if (broken) throw new Error('broken');
        },
      });
      const event = makeEvent();
      await t.publish(bus, event);
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      assert.equal(await bus.deadLetters.replay({ ids: [(await onlyLetterOf(bus)).id] }), 1);
      await t.until('the second dead letter', () => bus.stats.messagesSentToDlq === 2);
      await t.untilQuiet(bus);
      const again = await onlyLetterOf(bus);
      assert.deepEqual([again.eventId, again.replayCount, again.attempts], [event.eventId, 1, 1]);
      await failsWith('a replay above maxReplays', 'MAX_REPLAYS', () => bus.deadLetters.replay(again));
      assert.equal(await bus.deadLetters.count(), 1, 'refused, and gone');
      broken = false;
      assert.equal(await bus.deadLetters.replay(again, { force: true }), 1);
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      assert.equal(await bus.deadLetters.count(), 0);
      t.expectClean();
    },
  },
  {
    id: 'DL08',
    async run(t) {
      let broken = true;
      const flags: { readonly eventId: string; readonly flagged: boolean }[] = [];
      const { bus } = await t.consumer({
        overrides: quickRetries(0),
        handler: (event, context) => {
          if (broken) throw new Error('broken');
          flags.push({ eventId: event.eventId, flagged: context.redelivered || isMarkedAsReplay(context) });
        },
      });
      await t.publish(bus, makeEvents({ keys: CONTESTED }));
      await t.until('the dead letters', () => bus.stats.messagesSentToDlq === CONTESTED);
      broken = false;
      const admins = await Promise.all([t.bus(), t.bus()]);
      const listed = await Promise.all(admins.map((admin) => lettersOf(admin)));
      const counts = await Promise.all(
        admins.map(async (admin, n) => {
          let replayed = 0;
          for (const letter of listed[n] ?? []) replayed += await admin.deadLetters.replay(letter);
          return replayed;
        }),
      );
      await t.untilHandled(CONTESTED);
      await t.untilQuiet(bus);
      assert.equal(await bus.deadLetters.count(), 0);
      for (const { eventId } of listed[0]?.map((l) => ({ eventId: l.eventId })) ?? []) {
        const own = flags.filter((f) => f.eventId === eventId);
        assert.ok(own.length >= 1 && own.length <= 2, `processed ${own.length} times`);
        if (own.length === 2)
          assert.ok(
            own.every((f) => f.flagged),
            'a duplicate is not flagged',
          );
      }
      const total = counts.reduce((sum, count) => sum + count, 0);
      assert.equal(total, flags.length, 'the admins were told another number than was replayed');
    },
  },
];

/** The handler can see that an event came out of the dead letters. */
function isMarkedAsReplay(context: HandlerContext): boolean {
  return Object.keys(context.headers).some((name) => /replay/i.test(name));
}

import assert from 'node:assert/strict';

import { makeEvent, makeEvents } from '../events.js';
import { staysTrue } from '../poll.js';
import { type Suite, suite } from '../registry.js';
import { disabledCases } from './dl-disabled.js';
import { replayCases } from './dl-replay.js';
import { failsWith, quickRetries, statusesOf } from './support.js';
import { lettersOf, onlyLetterOf } from './support-dead-letters.js';
import { nextMillisecond } from './support-time.js';

const PAGED = 250;
const WATCHED_MS = 250;

/** What a group gives up on is kept, whole, and nothing waits for it. */
export const DEAD_LETTERS: Suite = suite('DL', [
  {
    id: 'DL01',
    async run(t) {
      const { bus } = await t.consumer({ overrides: quickRetries(2) });
      const failing = makeEvent({ behaviour: { failAttempts: 99 } });
      await t.publish(bus, [failing, ...makeEvents({ perKey: 5, from: 2 })]);
      await t.untilHandled(5);
      await t.untilQuiet(bus);
      const letter = await onlyLetterOf(bus);
      assert.equal(letter.eventId, failing.eventId);
      assert.equal((await bus.lag()).total, 0);
      t.expectClean({ givenUp: new Set([failing.eventId]) });
    },
  },
  {
    id: 'DL02',
    requires: ['inspect.readRaw'],
    async run(t) {
      const bus = await t.bus({ overrides: quickRetries(2) });
      const seen: { partition: number; position: string }[] = [];
      bus.subscribe('Counted', {
        name: 'bookkeeper',
        handle: (_, { partition, position }) => {
          seen.push({ partition, position });
          throw new RangeError('the amount is out of range');
        },
      });
      await bus.startConsuming();
      const event = makeEvent({ key: 'order-7', data: { text: 'žluťoučký 🐎' } });
      const beforeMs = Date.now();
      await t.publish(bus, event, { headers: { 'X-Request-Id': 'r-17', lower: 'v' } });
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      await t.untilQuiet(bus);
      const afterMs = Date.now();
      const letter = await onlyLetterOf(bus);
      const [record] = await t.inspect.readRaw(t.namespace);
      assert.ok(record?.value);
      assert.deepEqual(Buffer.from(letter.raw), Buffer.from(record.value), 'the bytes changed');
      assert.deepEqual({ ...letter.headers }, { ...record.headers }, 'the headers changed');
      assert.equal(letter.headers['X-Request-Id'], 'r-17');
      assert.deepEqual({ ...letter.event }, { ...event });
      assert.deepEqual(
        [
          letter.eventId,
          letter.eventType,
          letter.key,
          letter.group,
          letter.handler,
          letter.attempts,
          letter.replayCount,
        ],
        [event.eventId, 'Counted', 'order-7', 'group', 'bookkeeper', 3, 0],
      );
      assert.deepEqual(
        [letter.reason, letter.errorType, letter.errorMessage],
        ['max-retries', 'RangeError', 'the amount is out of range'],
      );
      const { partition, position, destination } = letter.source;
      assert.deepEqual({ partition, position }, seen[0]);
      assert.ok(destination.includes(t.namespace), `source ${destination}`);
      const failedMs = letter.firstFailedAt?.getTime() ?? Number.NaN;
      const letterMs = letter.deadLetteredAt.getTime();
      assert.ok(
        beforeMs <= failedMs && failedMs <= letterMs && letterMs <= afterMs,
        `published ${beforeMs}, first failed ${failedMs}, dead-lettered ${letterMs}, seen ${afterMs}`,
      );
    },
  },
  {
    id: 'DL03',
    async run(t) {
      const { bus } = await t.consumer();
      const events = makeEvents({ keys: 25, perKey: PAGED / 25, behaviour: { nonRetryable: true } });
      await t.publish(bus, events);
      await t.until('the dead letters', () => bus.stats.messagesSentToDlq === PAGED);
      const admin = await t.bus();
      const all = await lettersOf(admin);
      assert.deepEqual(all.map((l) => l.eventId).sort(), events.map((e) => e.eventId).sort());
      const times = all.map((l) => l.deadLetteredAt.getTime());
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        'not oldest first',
      );
      const ids = all.map((l) => l.id);
      const paged: string[] = [];
      for (let page = await pageOf(undefined); page.length > 0; page = await pageOf(paged.at(-1))) {
        assert.ok(page.length <= 40, `a page of ${page.length}`);
        paged.push(...page);
      }
      assert.deepEqual(paged, ids, 'pages have gaps, repeats or another order');
      assert.equal(await admin.deadLetters.count(), PAGED, 'listing is destructive, or count is wrong');

      async function pageOf(after: string | undefined): Promise<string[]> {
        const page: string[] = [];
        const listing = { limit: 40, ...(after === undefined ? {} : { after }) };
        for await (const letter of admin.deadLetters.list(listing)) page.push(letter.id);
        return page;
      }
    },
  },
  ...replayCases,
  {
    id: 'DL05',
    async run(t) {
      const a = await t.consumer({ group: 'a' });
      const b = await t.consumer({ group: 'b' });
      const of = (type: string) => makeEvents({ keys: 4, type, behaviour: { nonRetryable: true } });
      const bothHave = (count: number) =>
        t.until('the dead letters', () => [a, b].every(({ bus }) => bus.stats.messagesSentToDlq === count));
      await t.publish(a.bus, [...of('Old'), ...of('Stale')]);
      await bothHave(8);
      const border = await nextMillisecond(t);
      await t.publish(a.bus, of('New'));
      await bothHave(12);
      const letters = a.bus.deadLetters;
      assert.deepEqual(
        [
          await letters.count({ before: border }),
          await letters.count({ since: border }),
          await letters.count({ group: 'b' }),
          await letters.count({ group: '*' }),
        ],
        [8, 4, 12, 24],
      );
      assert.equal(await letters.purge({ eventType: 'Stale' }), 4);
      assert.deepEqual([await letters.count(), await letters.count({ group: 'b' })], [8, 12]);
      assert.equal(await letters.purge({ before: border }), 4);
      assert.deepEqual(
        (await lettersOf(a.bus)).map((l) => l.eventType),
        ['New', 'New', 'New', 'New'],
      );
      const [one] = await lettersOf(b.bus, { eventType: 'New' });
      assert.ok(one);
      assert.equal(await b.bus.deadLetters.purge(one), 1);
      assert.equal(await b.bus.deadLetters.purge(one), 0, 'purged twice');
      assert.equal(
        await b.bus.deadLetters.purge({ aggregateId: 'key-0', since: border }),
        one.key === 'key-0' ? 0 : 1,
      );
      assert.equal(await letters.purge({ group: '*', eventType: 'Old' }), 4, 'those of the other group');
      assert.equal(await letters.count(), 4);
      await failsWith('a misspelt filter', 'CONFIGURATION', () =>
        letters.purge({ evenType: 'New' } as object),
      );
      assert.equal(await letters.count(), 4, 'a misspelt filter purged');
    },
  },
  {
    id: 'DL06',
    requires: ['faults.breakDeadLetters'],
    timeoutMs: 60_000,
    async run(t) {
      const { bus } = await t.consumer({ overrides: quickRetries(1) });
      await t.publish(bus, makeEvents({ keys: 20 }));
      await t.untilHandled(20);
      await t.untilQuiet(bus);
      const statuses = statusesOf(bus);
      const heal = await t.faults.breakDeadLetters(t.namespace);
      t.onCleanup(heal);
      const failing = makeEvents({ keys: 3, from: 2, behaviour: { failAttempts: 99 } });
      await t.publish(bus, [...failing, ...makeEvents({ keys: ['x', 'y', 'z'] })]);
      await t.untilHandled(23);
      await t.until('the failure to be told', () => statuses.some(({ type }) => type === 'error'));
      // Tried again and again, and neither given up nor counted meanwhile.
      await staysTrue(
        'nothing is acknowledged',
        async () => bus.stats.messagesSentToDlq === 0 && (await bus.lag()).total >= 3,
        WATCHED_MS,
      );
      await heal();
      await t.until('the dead letters', async () => (await bus.deadLetters.count()) === 3, {
        withinMs: t.budget.recoverMs,
        everyMs: 50,
      });
      await t.untilQuiet(bus);
      assert.deepEqual(
        (await lettersOf(bus)).map((l) => l.eventId).sort(),
        failing.map((e) => e.eventId).sort(),
      );
      t.expectClean({ givenUp: new Set(failing.map((e) => e.eventId)) });
    },
  },
  ...disabledCases,
]);

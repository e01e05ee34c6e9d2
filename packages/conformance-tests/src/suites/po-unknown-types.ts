import assert from 'node:assert/strict';

import { makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { failsWith } from './support.js';
import { lettersOf } from './support-dead-letters.js';

/**
 * PO04. The contract knows the policies `dead-letter`, `ignore` and `deliver`. There is none that leaves an event
 * unsettled for another member of the group: it would hold back its key for as long as nobody comes. What `leave` is
 * for, that a newer member of the group gets the event, is reached by a replay of the dead letter; a bus that is asked
 * for `leave` refuses to start instead of doing something else.
 */
export const unknownTypeCases: readonly ConformanceCase[] = [
  {
    id: 'PO04',
    title: 'dead-letter: kept as unknown, and a newer member of the group gets it by replay',
    async run(t) {
      const old = await t.consumer({
        name: 'old',
        types: ['Known'],
        overrides: { unknownEvents: 'dead-letter' },
      });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 5, type: 'Known' }));
      await t.publish(publisher, makeEvents({ keys: 5, type: 'Newer', from: 2 }));
      await t.untilHandled(5);
      await t.until('the dead letters', () => old.bus.stats.messagesSentToDlq === 5);
      await t.untilQuiet(old.bus);
      const letters = await lettersOf(old.bus);
      assert.deepEqual(
        letters.map((l) => [l.reason, l.attempts, l.eventType]),
        letters.map(() => ['unknown-type', 0, 'Newer']),
      );
      await old.bus.shutdown();
      const newer = await t.consumer({
        name: 'new',
        types: ['Known', 'Newer'],
        overrides: { unknownEvents: 'dead-letter' },
      });
      assert.equal(await newer.bus.deadLetters.replay({ reason: 'unknown-type' }), 5);
      await t.untilHandled(10, { withinMs: t.budget.takeoverMs });
      await t.untilQuiet(newer.bus);
      assert.equal(await newer.bus.deadLetters.count(), 0);
      t.expectClean();
    },
  },
  {
    id: 'PO04',
    title: 'ignore: acknowledged and counted, wildcards included',
    async run(t) {
      const { bus } = await t.consumer({ overrides: { unknownEvents: 'ignore' } });
      await t.publish(bus, makeEvents({ keys: 5 }));
      await t.until('them to be counted', () => bus.stats.eventsIgnored === 5);
      await t.untilQuiet(bus);
      assert.equal(t.history.of('group').length, 0);
      assert.equal(await bus.deadLetters.count(), 0);
    },
  },
  {
    id: 'PO04',
    title: 'deliver: given to wildcards, and counted as ignored where there is none',
    async run(t) {
      const wildcard = await t.consumer({ group: 'wildcard' });
      const typed = await t.consumer({ group: 'typed', types: ['Known'] });
      await t.publish(typed.bus, [
        ...makeEvents({ keys: 5 }),
        ...makeEvents({ keys: 5, type: 'Known', from: 2 }),
      ]);
      await t.untilHandled(10, { group: 'wildcard' });
      await t.untilHandled(5, { group: 'typed' });
      await t.untilQuiet(wildcard.bus);
      await t.untilQuiet(typed.bus);
      t.expectClean({ group: 'wildcard' });
      t.expectClean({ group: 'typed', meantFor: (p) => p.eventType === 'Known' });
      assert.equal(typed.bus.stats.eventsIgnored, 5);
      assert.equal(await typed.bus.deadLetters.count({ group: '*' }), 0);
    },
  },
  {
    id: 'PO04',
    title: 'leave: refused, since an event that nobody takes would hold back its key',
    async run(t) {
      await failsWith('unknownEvents: leave', 'CONFIGURATION', () =>
        t.bus({ overrides: { unknownEvents: 'leave' as unknown as 'ignore' } }),
      );
    },
  },
];

import assert from 'node:assert/strict';

import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { gate } from './support.js';
import { onlyLetterOf } from './support-dead-letters.js';

/** RT08: a handler that takes too long has failed, whatever it does afterwards. */
export const timeoutCases: readonly ConformanceCase[] = [
  {
    id: 'RT08',
    async run(t) {
      const release = gate();
      t.onCleanup(release.open);
      const signals: AbortSignal[] = [];
      const { bus } = await t.consumer({
        overrides: {
          concurrency: 1,
          handlerTimeoutMs: 200,
          retry: { maxRetries: 1, baseDelayMs: 10, jitter: 0 },
        },
        handler: async (event, context) => {
          if (event.aggregateId !== 'stuck') return;
          signals.push(context.signal);
          await release.opened;
        },
      });
      await t.publish(bus, [
        makeEvent({ key: 'stuck' }),
        makeEvent({ key: 'stuck', from: 2, type: 'Behind' }),
        makeEvent({ key: 'other' }),
      ]);
      // With one slot, others are handled only if the stuck handler has lost its own.
      await t.untilHandled(1);
      await t.until(
        'both attempts, and those of the event behind it, to run out of time',
        () => bus.stats.messagesSentToDlq === 2,
      );
      assert.equal(signals.length, 4);
      for (const signal of signals) {
        assert.ok(signal.aborted, 'the signal was not aborted');
        assert.equal((signal.reason as { code?: string }).code, 'HANDLER_TIMEOUT');
      }
      const letter = await onlyLetterOf(bus, { eventType: 'Counted' });
      assert.deepEqual([letter.reason, letter.attempts], ['max-retries', 2]);
      assert.equal(bus.stats.handlerErrors, 4);
      const before = bus.stats;
      release.open();
      await t.until('the late handlers to end', () => t.history.of('group').every((d) => d.outcome === 'ok'));
      await t.publish(bus, makeEvent({ key: 'other', from: 2 }));
      await t.until(
        'a later event',
        () => bus.stats.eventsProcessedSuccess === before.eventsProcessedSuccess + 1,
      );
      await t.untilQuiet(bus);
      assert.equal(
        bus.stats.eventsProcessedSuccess,
        before.eventsProcessedSuccess + 1,
        'a late success was counted',
      );
      assert.equal(bus.stats.messagesSentToDlq, 2);
    },
  },
];

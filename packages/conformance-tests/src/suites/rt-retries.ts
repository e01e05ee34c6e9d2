import assert from 'node:assert/strict';

import {
  type DeadLetter,
  type DomainEvent,
  type EventHandlerFunction,
  NonRetryableError,
} from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { recordedHandler } from '../recorder.js';
import { type Suite, suite } from '../registry.js';
import { backoffCases } from './rt-backoff.js';
import { restartCases } from './rt-restart.js';
import { timeoutCases } from './rt-timeout.js';
import { quickRetries } from './support.js';
import { lettersOf } from './support-dead-letters.js';

/** How many times, after how long, for whom. */
export const RETRIES: Suite = suite('RT', [
  {
    id: 'RT01',
    async run(t) {
      const { bus } = await t.consumer({ overrides: quickRetries(3) });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvent({ behaviour: { failAttempts: 1 } }));
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      assert.deepEqual(
        t.history.of('group').map((d) => [d.attempt, d.outcome]),
        [
          [1, 'failed'],
          [2, 'ok'],
        ],
      );
      assert.equal(bus.stats.eventsProcessedSuccess, 1);
      await bus.shutdown();
      // A later event proves that nothing was left to be delivered again.
      await t.consumer({ name: 'after' });
      await t.publish(publisher, makeEvent({ from: 2 }));
      await t.untilHandled(2);
      assert.equal(
        t.history.of('group', { consumer: 'after' }).length,
        1,
        'the event was not acknowledged once',
      );
      t.expectClean();
    },
  },
  {
    id: 'RT02',
    async run(t) {
      const publisher = await t.bus();
      for (const maxRetries of [0, 1, 4]) {
        const group = `retries-${maxRetries}`;
        await (await t.bus({ group })).ensureGroup();
      }
      await t.publish(publisher, makeEvent({ behaviour: { failAttempts: 99 } }));
      for (const maxRetries of [0, 1, 4]) {
        const group = `retries-${maxRetries}`;
        const { bus } = await t.consumer({ group, overrides: quickRetries(maxRetries) });
        await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
        await t.untilQuiet(bus);
        const attempts = t.history.of(group).map((d) => d.attempt);
        assert.deepEqual(
          attempts,
          Array.from({ length: maxRetries + 1 }, (_, n) => n + 1),
        );
        const letters = await lettersOf(bus);
        assert.deepEqual(
          letters.map((l) => [l.reason, l.attempts]),
          [['max-retries', maxRetries + 1]],
        );
      }
    },
  },
  ...backoffCases,
  {
    id: 'RT05',
    async run(t) {
      const bus = await t.bus({ overrides: quickRetries(3) });
      const labels = { group: 'group', consumer: 'consumer' };
      bus.subscribe('Counted', recordedHandler(t.record, { ...labels, handler: 'H1' }));
      bus.subscribe(
        'Counted',
        recordedHandler(t.record, { ...labels, handler: 'H2' }, (_, { attempt }) => {
          if (attempt <= 2) throw new Error(`fails in attempt ${attempt}`);
        }),
      );
      await bus.startConsuming();
      await t.publish(bus, makeEvents({ keys: 5 }));
      await t.until('both handlers to succeed', () => bus.stats.eventsProcessedSuccess === 5);
      await t.untilQuiet(bus);
      assert.equal(
        t.history.of('group', { handler: 'H1' }).length,
        5,
        'the handler that succeeded ran again',
      );
      assert.equal(t.history.of('group', { handler: 'H2' }).length, 15);
      assert.ok(t.history.of('group').every((d) => !d.redelivered));
    },
  },
  {
    id: 'RT06',
    async run(t) {
      const invoked = new Map<string, number>();
      const overrides = {
        retry: {
          maxRetries: 5,
          baseDelayMs: 10,
          retryIf: (error: unknown) => !(error instanceof RangeError),
        },
      };
      const { bus } = await t.consumer({
        overrides,
        handler: (event) => {
          invoked.set(event.eventType, (invoked.get(event.eventType) ?? 0) + 1);
          if (event.eventType === 'ByClass')
            throw new NonRetryableError('never mind', { cause: new Error('why') });
          if (event.eventType === 'ByPredicate') throw new RangeError('out of range');
          if (invoked.get(event.eventType) === 1) throw new TypeError('tried again');
        },
      });
      const types = ['ByClass', 'ByPredicate', 'Retryable'];
      await t.publish(
        bus,
        types.map((type) => makeEvent({ type, key: type })),
      );
      await t.until('the dead letters', () => bus.stats.messagesSentToDlq === 2);
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      assert.deepEqual(Object.fromEntries(invoked), { ByClass: 1, ByPredicate: 1, Retryable: 2 });
      for (const letter of await lettersOf(bus)) {
        assert.deepEqual([letter.reason, letter.attempts], ['non-retryable', 1], letter.eventType);
      }
    },
  },
  ...restartCases,
  ...timeoutCases,
  {
    id: 'RT09',
    async run(t) {
      const bus = await t.bus({ overrides: quickRetries(1) });
      const calls = new Map<string, number>();
      for (const [type, body] of Object.entries(THROWING)) {
        bus.subscribe(type, (event, context) => {
          calls.set(type, (calls.get(type) ?? 0) + 1);
          return body(event, context);
        });
      }
      await bus.startConsuming();
      const types = Object.keys(THROWING);
      await t.publish(
        bus,
        types.map((type) => makeEvent({ type, key: type })),
      );
      await t.until('all to be dead letters', () => bus.stats.messagesSentToDlq === types.length);
      await t.untilQuiet(bus);
      const letters = new Map((await lettersOf(bus)).map((letter) => [letter.eventType, letter]));
      for (const type of types) {
        assert.equal(calls.get(type), 2, `${type}: invocations`);
        assertReadable(type, letters.get(type));
      }
    },
  },
]);

/** Ways to fail, by type of the event. Plain functions: what they throw, they throw at once unless they are async. */
const THROWING: Readonly<Record<string, EventHandlerFunction>> = {
  ThrowsUndefined: () => raise(undefined),
  ThrowsNull: () => raise(null),
  ThrowsString: () => raise('a plain text'),
  ThrowsNumber: () => raise(42),
  ThrowsFrozen: () => raise(Object.freeze(new Error('frozen'))),
  ThrowsBareObject: () => raise(Object.create(null)),
  ThrowsHostile: () =>
    raise({
      get message(): string {
        throw new Error('no message for you');
      },
    }),
  ThrowsSymbol: () => raise(Symbol('s')),
  RejectsUndefined: () => Promise.reject(undefined),
  RejectsError: async (_: DomainEvent) => {
    await Promise.resolve();
    throw new Error('later');
  },
  // Not a promise, but what `await` takes for one.
  RejectsThenable: () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: that is what is shown here.
      then: (_: unknown, reject: (error: unknown) => void) => reject(new Error('thenable')),
    };
    return thenable as unknown as Promise<void>;
  },
};

function raise(value: unknown): never {
  throw value;
}

function assertReadable(type: string, letter: DeadLetter | undefined): void {
  assert.ok(letter, `${type}: no dead letter`);
  assert.deepEqual([letter.reason, letter.attempts], ['max-retries', 2], type);
  const readable = (text: string): boolean => text.length > 0 && text !== '[object Object]';
  assert.ok(readable(letter.errorType), `${type}: error type ${JSON.stringify(letter.errorType)}`);
  assert.ok(readable(letter.errorMessage), `${type}: error message ${JSON.stringify(letter.errorMessage)}`);
}

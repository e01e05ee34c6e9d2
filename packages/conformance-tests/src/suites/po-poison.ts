import assert from 'node:assert/strict';

import { defineEvent } from '@omnibus/core';

import { makeEvent, makeEvents } from '../events.js';
import { type Suite, suite } from '../registry.js';
import { crashLoopCases } from './po-crash-loop.js';
import { forgedCases } from './po-forged.js';
import { hostileCases } from './po-hostile.js';
import { unknownTypeCases } from './po-unknown-types.js';
import { lettersOf, onlyLetterOf } from './support-dead-letters.js';
import { wireBody } from './support-wire.js';

const TOTAL_IS_MISSING = {
  '~standard': {
    version: 1 as const,
    vendor: 'conformance',
    validate: (value: unknown) =>
      typeof (value as { order?: { total?: unknown } }).order?.total === 'number'
        ? { value }
        : { issues: [{ message: 'must be a number', path: ['order', 'total'] }] },
  },
};

/** Nothing stalls on a record that cannot be handled, and nothing of it is lost. */
export const POISON: Suite = suite('PO', [
  {
    id: 'PO01',
    requires: ['inspect.putRaw'],
    async run(t) {
      const { bus } = await t.consumer();
      const value = Buffer.concat([
        Buffer.from('this is not JSON {"'),
        Buffer.from([0, 0xff, 0xc3, 0x28, 0x0d, 0x0a]),
      ]);
      const { partition, position } = await t.inspect.putRaw(t.namespace, {
        key: 'key-0',
        value,
        headers: { source: 'elsewhere' },
      });
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      const letter = await onlyLetterOf(bus);
      assert.deepEqual([letter.reason, letter.attempts, letter.event], ['deserialization', 0, undefined]);
      assert.deepEqual(Buffer.from(letter.raw), value);
      assert.deepEqual([letter.key, letter.headers.source], ['key-0', 'elsewhere']);
      assert.deepEqual([letter.source.partition, letter.source.position], [partition, position]);
      assert.equal(bus.stats.retries, 0);
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'PO02',
    async run(t) {
      const strict = defineEvent('Strict', { schema: TOTAL_IS_MISSING, version: 1 });
      const { bus } = await t.consumer({ overrides: { events: [strict] } });
      const careless = await t.bus();
      const invalid = makeEvent({ type: 'Strict', data: { order: { total: 'twelve' } } });
      const valid = makeEvent({ type: 'Strict', from: 2, data: { order: { total: 12 } } });
      await t.publish(careless, [invalid, valid]);
      await t.untilHandled(1);
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      await t.untilQuiet(bus);
      const letter = await onlyLetterOf(bus);
      assert.deepEqual([letter.eventId, letter.reason, letter.attempts], [invalid.eventId, 'validation', 0]);
      assert.match(letter.errorMessage, /order\.total/);
      t.expectClean({ givenUp: new Set([invalid.eventId]) });
    },
  },
  {
    id: 'PO03',
    requires: ['inspect.putRaw'],
    async run(t) {
      const handled: string[] = [];
      const { bus } = await t.consumer({ handler: (event) => void handled.push(event.eventId) });
      const bad: Readonly<Record<string, Buffer | null>> = {
        'no type': wireBody({ event_type: undefined }),
        'no id': wireBody({ event_id: undefined }),
        'no aggregate': wireBody({ aggregate_id: undefined }),
        'a type that is no text': wireBody({ event_type: 7 }),
        'an unreadable time': wireBody({ occurred_at: 'yesterday' }),
        'an array': Buffer.from('[1,2,3]'),
        'a text': Buffer.from('"event"'),
        null: Buffer.from('null'),
        nothing: Buffer.alloc(0),
        'no body': null,
      };
      for (const value of Object.values(bad)) {
        await t.inspect.putRaw(t.namespace, { key: 'key-0', value });
        // Headers that say what the body should have said do not make it an event.
        await t.inspect.putRaw(t.namespace, { value, headers: { event_id: 'e-1', event_type: 'Foreign' } });
      }
      const foreign = makeEvent({ key: 'key-0' });
      const body = wireBody({ event_id: foreign.eventId });
      await t.inspect.putRaw(t.namespace, { key: 'key-0', value: body });
      const count = 2 * Object.keys(bad).length;
      await t.until('every bad record to be a dead letter', () => bus.stats.messagesSentToDlq === count);
      await t.until('the good one of the foreign producer', () => handled.includes(foreign.eventId));
      await t.untilQuiet(bus);
      assert.deepEqual(handled, [foreign.eventId]);
      const letters = await lettersOf(bus);
      assert.equal(letters.length, count);
      for (const letter of letters) {
        assert.ok(['deserialization', 'validation'].includes(letter.reason), letter.reason);
        assert.equal(letter.attempts, 0);
      }
      const stored = letters.map((l) => Buffer.from(l.raw).toString()).sort();
      const written = Object.values(bad)
        .flatMap((value) => [value, value])
        .map((value) => value?.toString() ?? '')
        .sort();
      assert.deepEqual(stored, written);
    },
  },
  ...unknownTypeCases,
  {
    id: 'PO05',
    requires: ['inspect.putRaw'],
    async run(t) {
      const publisher = await t.bus();
      await publisher.ensureGroup();
      const { partition } = await t.inspect.putRaw(t.namespace, {
        key: 'key-0',
        value: Buffer.from('poison'),
      });
      await t.publish(publisher, makeEvents({ perKey: 100 }));
      const { bus } = await t.consumer();
      await t.untilHandled(100, { withinMs: t.budget.deliverMs });
      await t.untilQuiet(bus);
      assert.ok(
        t.history.of('group').every((d) => d.partition === partition),
        'the poison was put elsewhere',
      );
      assert.equal((await onlyLetterOf(bus)).reason, 'deserialization');
      t.expectClean();
    },
  },
  ...hostileCases,
  ...forgedCases,
  ...crashLoopCases,
]);

import assert from 'node:assert/strict';

import { createEvent, type DomainEvent } from '@omnibus/core';

import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import type { RawWrite } from '../subject.js';
import { wireBody, wireBodyWith } from './support-wire.js';

const NESTED = 10_000;
const FIELDS = 100_000;

/** Records made to hurt whoever reads them, by what they try. */
const ATTACKS: Readonly<Record<string, RawWrite>> = {
  '__proto__ as data': { value: wireBodyWith('__proto__', '{"polluted":true}') },
  '__proto__ within data': {
    value: wireBodyWith(
      'nested',
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    ),
  },
  '__proto__ as metadata': { value: wireBodyWith('metadata', '{"__proto__":{"polluted":true}}') },
  'deeply nested arrays': { value: wireBodyWith('deep', `${'['.repeat(NESTED)}${']'.repeat(NESTED)}`) },
  'deeply nested objects': { value: wireBodyWith('deep', `${'{"a":'.repeat(NESTED)}1${'}'.repeat(NESTED)}`) },
  'a hundred thousand fields': {
    value: wireBodyWith(
      'many',
      `{${Array.from({ length: FIELDS }, (_, n) => `"${n.toString(36)}":1`).join()}}`,
    ),
  },
  'a number beyond all numbers': { value: wireBodyWith('big', '1e999999') },
  'the same field twice': { value: wireBodyWith('event_type', '"Other"') },
  'a malformed traceparent': {
    value: wireBody(),
    headers: { traceparent: '00-zz-zz-zz', tracestate: ',,=,' },
  },
  'counts that are no numbers': {
    value: wireBody(),
    headers: { attempt: 'abc', dlq_retry_count: 'abc', dlq_replay_count: '-1', retry_count: 'NaN' },
  },
  'header bytes that are no text': {
    value: wireBody(),
    headers: { event_id: Buffer.from([0xff, 0xfe, 0x00]), traceparent: Buffer.from([0x80]) },
  },
  'headers named like members of objects': {
    value: wireBody(),
    headers: Object.defineProperty(
      { constructor: 'x', toString: 'y' } as Record<string, string>,
      '__proto__',
      { value: 'z', enumerable: true },
    ),
  },
};

/** PO06: hostile records do no harm, and nothing behind them waits. */
export const hostileCases: readonly ConformanceCase[] = [
  {
    id: 'PO06',
    requires: ['inspect.putRaw'],
    async run(t) {
      const handled: DomainEvent[] = [];
      const { bus } = await t.consumer({
        handler: (event, context) => {
          // What a handler ordinarily looks at must be readable.
          void Object.keys(context.headers);
          handled.push(event);
        },
      });
      let done = 0;
      for (const [attack, record] of Object.entries(ATTACKS)) {
        await t.inspect.putRaw(t.namespace, { key: 'key-0', ...record });
        const good = makeEvent({ from: done + 1 });
        await t.publish(bus, good);
        await t.until(`the event behind ${attack}`, () =>
          handled.some(({ eventId }) => eventId === good.eventId),
        );
        done += 1;
        const accounted = handled.length - done + bus.stats.messagesSentToDlq;
        assert.equal(accounted, done, `${attack}: neither handled nor a dead letter`);
      }
      await t.untilQuiet(bus);
      assert.equal(bus.stats.retries, 0);
      assertUnpolluted(handled);
    },
  },
];

function assertUnpolluted(handled: readonly DomainEvent[]): void {
  const clean = createEvent({ eventType: 'Clean', aggregateId: 'a', aggregateType: 'A', data: {} });
  for (const value of [{}, [], () => {}, clean, clean.data, clean.metadata]) {
    assert.equal((value as { polluted?: unknown }).polluted, undefined, 'a prototype was polluted');
  }
  for (const event of handled) {
    for (const value of [event, event.data, event.metadata, event.data.nested]) {
      assert.equal(
        (value as { polluted?: unknown } | undefined)?.polluted,
        undefined,
        `a prototype was set by ${event.eventType}`,
      );
    }
  }
}

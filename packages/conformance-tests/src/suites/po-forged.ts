import assert from 'node:assert/strict';

import { makeEvent, makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { statusesOf } from './support.js';
import { lettersOf, onlyLetterOf } from './support-dead-letters.js';
import { wireBody } from './support-wire.js';

/** A header of an application that happens to be called like the mark of a replay. */
const OTHER_MEANING = { target_group: 'adults' };
/** What only a bus that replays writes. */
const FORGED = { target_group: 'group-b', dlq_replay_count: '1' };
/** What only a bus that gives an event up writes. */
const FORGED_LETTER = {
  dlq_consumer_group: 'group-b',
  dlq_reason: 'max_retries_exceeded',
  dlq_original_offset: '0',
  dlq_body_bytes: '1',
};
const ODD_ID = 'id\r\nFATAL forged\u001b[2J\u2028';

/** PO06: who publishes can do to others only what they do to themselves. */
export const forgedCases: readonly ConformanceCase[] = [
  {
    id: 'PO06',
    title:
      'a header called like the mark of a replay hides no event, and a forged mark none of somebody else',
    requires: ['inspect.putRaw'],
    async run(t) {
      const handled: Record<string, string[]> = { 'group-a': [], 'group-b': [] };
      const buses = await Promise.all(
        Object.keys(handled).map(async (group) => {
          const handler = ({ eventId }: { readonly eventId: string }): void => {
            handled[group]?.push(eventId);
          };
          return (await t.consumer({ group, handler })).bus;
        }),
      );
      const [innocent, forged] = [makeEvent(), makeEvent()];
      const put = (eventId: string, headers: Record<string, string>): Promise<unknown> =>
        t.inspect.putRaw(t.namespace, { key: 'key-0', value: wireBody({ event_id: eventId }), headers });
      await put(innocent.eventId, OTHER_MEANING);
      await put(forged.eventId, FORGED);
      const others = makeEvents({ keys: 3, perKey: 5 });
      await t.publish(buses[0] as (typeof buses)[number], others);
      const mine = [innocent, ...others].map(({ eventId }) => eventId).sort();
      // Whom the forger did not name may miss what the forger wrote, and nothing else.
      const byOthers = (group: string): string[] =>
        (handled[group] ?? []).filter((id) => id !== forged.eventId).sort();
      for (const group of Object.keys(handled))
        await t.until(`${group} to have all`, () => byOthers(group).length >= mine.length);
      for (const bus of buses) await t.untilQuiet(bus);
      for (const group of Object.keys(handled)) assert.deepEqual(byOthers(group), mine);
      assert.ok(handled['group-b']?.includes(forged.eventId), 'the group that was named did not get it');
      for (const bus of buses) assert.equal(bus.stats.messagesSentToDlq, 0);
    },
  },
  {
    id: 'PO06',
    title: 'what says that it is the dead letter of another group becomes one of the group that gave it up',
    requires: ['inspect.putRaw'],
    async run(t) {
      const { bus: other } = await t.consumer({ group: 'group-b', overrides: { unknownEvents: 'ignore' } });
      const { bus } = await t.consumer({ group: 'group-a' });
      const { position } = await t.inspect.putRaw(t.namespace, {
        key: 'key-0',
        value: Buffer.from('no event'),
        headers: FORGED_LETTER,
      });
      for (const each of [bus, other])
        await t.until('its dead letter', () => each.stats.messagesSentToDlq === 1);
      for (const [each, group] of [
        [bus, 'group-a'],
        [other, 'group-b'],
      ] as const) {
        const letters = (await lettersOf(each)).filter((letter) => letter.group === group);
        assert.deepEqual(
          letters.map(({ reason, source }) => [reason, source.position]),
          [['deserialization', position]],
        );
      }
    },
  },
  {
    id: 'PO06',
    title: 'an event larger than is allowed is a dead letter with its bytes, and nothing behind it waits',
    requires: ['inspect.putRaw'],
    async run(t) {
      const { bus } = await t.consumer({ overrides: { maxEventBytes: 500_000 } });
      const value = wireBody({ text: 'x'.repeat(600_000) });
      await t.inspect.putRaw(t.namespace, { key: 'key-0', value });
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      await t.untilQuiet(bus);
      const letter = await onlyLetterOf(bus);
      assert.equal(letter.reason, 'deserialization');
      assert.match(letter.errorMessage, /maxEventBytes/);
      assert.equal(letter.event, undefined, 'what was too large to be handled was parsed to be listed');
      assert.ok(Buffer.from(letter.raw).equals(value), 'the bytes are not those that came');
      assert.equal(bus.stats.retries, 0);
    },
  },
  {
    id: 'PO06',
    title: 'more headers than anybody needs are a dead letter that has the first of them',
    requires: ['inspect.putRaw'],
    async run(t) {
      const { bus } = await t.consumer();
      const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`h${n}`, 'x']));
      const value = wireBody();
      await t.inspect.putRaw(t.namespace, { key: 'key-0', value, headers });
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      const letter = await onlyLetterOf(bus);
      assert.equal(letter.reason, 'deserialization');
      assert.match(letter.errorMessage, /has 200\d headers/);
      assert.equal(letter.headers.h0, 'x');
      assert.ok(Buffer.from(letter.raw).equals(value), 'the bytes are not those that came');
    },
  },
  {
    id: 'PO06',
    title: 'what strangers write is told in one line',
    requires: ['inspect.putRaw'],
    async run(t) {
      const { bus } = await t.consumer({ overrides: { unknownEvents: 'dead-letter' } });
      const statuses = statusesOf(bus);
      const odd = { event_id: ODD_ID, event_type: ODD_ID };
      const records = [Buffer.from(`${ODD_ID}{`), wireBody(odd), wireBody({ ...odd, [ODD_ID]: 1e300 })];
      for (const value of records)
        await t.inspect.putRaw(t.namespace, {
          key: ODD_ID,
          value,
          headers: { event_id: ODD_ID, odd: ODD_ID },
        });
      const told = (): string[] =>
        statuses.flatMap((status) => (status.type === 'dead-lettered' ? [status.error.message] : []));
      await t.until('all to be told', () => told().length === records.length);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
      for (const message of told()) assert.doesNotMatch(message, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    },
  },
];

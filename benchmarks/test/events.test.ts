import { jsonCodec } from '@omnibus/core';

import { batchesOf, EVENT_BYTES, KEYS } from '../src/events.js';

it('makes the same bytes of both forms, as many as promised', () => {
  for (const { events, plain } of batchesOf(1_500, 100)) {
    events.forEach((event, i) => {
      const json = JSON.stringify(plain[i]);
      expect(Buffer.byteLength(json)).toBe(EVENT_BYTES);
      expect(Buffer.from(jsonCodec.encode(event)).toString()).toBe(json);
    });
  }
});

it('makes as many as asked for, also more than there are different ones, and an incomplete last batch', () => {
  const sizes = batchesOf(25_300, 1_000).map(({ events }) => events.length);
  expect(sizes).toHaveLength(26);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(25_300);
  expect(sizes.at(-1)).toBe(300);
});

it('spreads them over all keys', () => {
  const keys = batchesOf(KEYS, 1).flatMap(({ events }) => events.map(({ aggregateId }) => aggregateId));
  expect(new Set(keys).size).toBe(KEYS);
});

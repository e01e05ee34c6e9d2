import fc from 'fast-check';

import { exactInstant, instantMs, instantText } from '../src/instant.js';

describe('reading an instant', () => {
  it.each<[string, string]>([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678Z'],
    ['2026-01-02T03:04:05.6+00:00', '2026-01-02T03:04:05.600Z'],
    ['2026-01-02T03:04:05.123456789+0000', '2026-01-02T03:04:05.123Z'],
    ['2026-01-02T03:04:05+05:30', '2026-01-01T21:34:05.000Z'],
    ['2025-12-31T23:59:59.999-01:00', '2026-01-01T00:59:59.999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s', (text, iso) => {
    expect(new Date(instantMs(text)).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'yesterday',
    '2026-01-02',
    '2026-01-02T03:04Z',
    '2026-01-02T03:04:05',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05.Z',
    '2026-01-02T03:04:05.1',
    '2026-13-02T03:04:05Z',
    '2026-00-02T03:04:05Z',
    '2026-02-29T03:04:05Z',
    '1900-02-29T03:04:05Z',
    '2026-01-02T24:04:05Z',
    '2026-01-02T03:60:05Z',
    '2026-01-02T03:04:60Z',
    '2026-01-02T03:04:05+24:00',
    '2026-01-02T03:04:05+1:00',
    '2026-01-02T03:04:05ZZ',
    '2026-01-02T03:04:0xZ',
    '+026-01-02T03:04:05Z',
    `2026-01-02T03:04:05.${'1'.repeat(100)}Z`,
  ])('%j is none', (text) => {
    expect(instantMs(text)).toBeNaN();
  });

  it('agrees with Date for every instant of the years 1 to 9999', () => {
    const anyMs = fc.integer({
      min: Date.parse('0001-01-01T00:00:00Z'),
      max: Date.parse('9999-12-31T23:59:59.999Z'),
    });
    fc.assert(
      fc.property(anyMs, (timeMs) => {
        expect(instantMs(new Date(timeMs).toISOString())).toBe(timeMs);
        expect(instantMs(instantText(timeMs) ?? '')).toBe(timeMs);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('writing an instant', () => {
  it.each<[string, string]>([
    ['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678000Z'],
    ['2026-01-02T03:04:05.007Z', '2026-01-02T03:04:05.007000Z'],
    ['2026-01-02T03:04:05.070Z', '2026-01-02T03:04:05.070000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999000Z'],
  ])('%s as eventsource-py does', (iso, text) => {
    expect(instantText(Date.parse(iso))).toBe(text);
    expect(instantText(Date.parse(iso), '+00:00')).toBe(text.replace('Z', '+00:00'));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0), Date.parse('0000-12-31T23:59:59Z')])(
    'not %p',
    (timeMs) => {
      expect(instantText(timeMs)).toBeUndefined();
    },
  );
});

describe('what is finer than a millisecond', () => {
  it.each<[string, string | undefined]>([
    ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678901Z'],
    ['2026-01-02T03:04:05.678901+00:00', '2026-01-02T03:04:05.678901Z'],
    ['2026-01-02T00:04:05.000000001+05:30', '2026-01-01T18:34:05.000000001Z'],
    ['1969-12-31T23:59:59.9999-00:00', '1969-12-31T23:59:59.9999Z'],
    ['2026-01-02T03:04:05.678000Z', undefined],
    ['2026-01-02T03:04:05.67Z', undefined],
    ['2026-01-02T03:04:05Z', undefined],
  ])('of %s is kept in UTC', (text, exact) => {
    expect(exactInstant(text, instantMs(text))).toBe(exact);
  });
});

import { absoluteRow, differenceRow, isReached, type Row, ratioRow } from '../src/report/row.js';
import { tableOf } from '../src/report/table.js';

const fast: Row = ratioRow(
  { cell: 'P1', what: '1000 events a call', unit: 'events/s', target: { kind: 'at least', bound: 0.9 } },
  { bus: [120_000, 90_000, 100_000], raw: [100_000, 100_000, 100_000] },
);
const slow: Row = differenceRow(
  { cell: 'L', what: 'idle', unit: 'ms', target: { kind: 'at most', bound: 1 } },
  { bus: [4, 3], raw: [2, 2] },
);
const alone: Row = absoluteRow({ cell: 'E', what: 'consume', unit: 'µs/event' }, [1.234]);

describe('rows', () => {
  it('compare round by round', () => {
    expect(fast.comparison.value).toEqual({ median: 1, min: 0.9, max: 1.2 });
    expect(slow.comparison.value).toEqual({ median: 1.5, min: 1, max: 2 });
  });

  it('know whether the median keeps to the bound, from the right side', () => {
    expect(isReached(fast.comparison)).toBe(true);
    expect(isReached(slow.comparison)).toBe(false);
    expect(isReached({ ...fast.comparison, target: { kind: 'at most', bound: 0.9 } })).toBe(false);
    expect(isReached(alone.comparison)).toBeUndefined();
  });

  it('hold every round', () => {
    expect(fast.rounds).toEqual({ bus: [120_000, 90_000, 100_000], raw: [100_000, 100_000, 100_000] });
    expect(alone.rounds).toEqual({ bus: [1.234] });
  });
});

describe('tableOf', () => {
  it('lines up text to the left and numbers to the right', () => {
    expect(tableOf([fast, slow, alone])).toEqual([
      'cell  what                unit                           bus                 raw client                    compared  target',
      'P1    1000 events a call  events/s  100,000 (90,000–120,000)  100,000 (100,000–100,000)  bus / raw 1.00 (0.90–1.20)   ≥ 0.9  reached',
      'L     idle                ms                3.50 (3.00–4.00)           2.00 (2.00–2.00)  bus − raw 1.50 (1.00–2.00)     ≤ 1   missed',
      'E     consume             µs/event          1.23 (1.23–1.23)                          –                           –       –',
    ]);
  });

  it('is the header alone without rows', () => {
    expect(tableOf([])).toEqual(['cell  what  unit  bus  raw client  compared  target']);
  });
});

import { pairwise, percentile, spreadOf } from '../src/statistics.js';

describe('spreadOf', () => {
  it('takes the middle of an odd number of values, whatever their order', () => {
    expect(spreadOf([30, 4, 100])).toEqual({ median: 30, min: 4, max: 100 });
  });

  it('takes the mean of the two in the middle of an even number', () => {
    expect(spreadOf([1, 2, 10, 20]).median).toBe(6);
  });

  it('is the value itself for one', () => {
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  it('leaves the values as they were', () => {
    const values = [3, 1, 2];
    spreadOf(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses to invent a median of nothing', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 101 }, (_, i) => 100 - i);

  it.each([
    [0, 0],
    [50, 50],
    [99, 99],
    [100, 100],
  ])('is exact where a value stands: %d', (percent, value) => {
    expect(percentile(hundred, percent)).toBe(value);
  });

  it('goes between two values by their distance', () => {
    expect(percentile([10, 20], 99)).toBeCloseTo(19.9);
  });

  it('orders numbers as numbers', () => {
    expect(percentile([9, 10, 100], 100)).toBe(100);
  });

  it('refuses nothing', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
  });
});

describe('pairwise', () => {
  it('compares round by round: a machine that slows down for both changes nothing', () => {
    const ratio = pairwise([100, 50, 10], [50, 25, 5], (bus, raw) => bus / raw);
    expect(ratio).toEqual({ median: 2, min: 2, max: 2 });
  });

  it('refuses rounds that lack a partner', () => {
    expect(() => pairwise([1, 2], [1], (a, b) => a - b)).toThrow('2 values cannot be paired with 1');
  });
});

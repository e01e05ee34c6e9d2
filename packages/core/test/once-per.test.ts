import { OncePer } from '../src/once-per.js';
import { until } from './memory-buses.js';

describe('OncePer', () => {
  it('tells the first at once, and what follows not', () => {
    const told: number[] = [];
    const once = new OncePer<number>(60_000, (what) => told.push(what));
    for (const n of [1, 2, 3]) once.report(n);
    expect(told).toEqual([1]);
  });

  it('tells again what lasts', async () => {
    const told: number[] = [];
    const once = new OncePer<number>(20, (what) => told.push(what));
    once.report(1);
    await until('the second', () => {
      once.report(2);
      return told.length === 2;
    });
    expect(told).toEqual([1, 2]);
  });
});

import { LogRing } from '../src/log-ring.js';

describe('LogRing', () => {
  it('keeps no more than its limit, and that the newest', () => {
    const ring = new LogRing(100);
    for (let line = 0; line < 1_000; line += 1) ring.append(`line ${line}\n`);
    expect(ring.text().length).toBeLessThanOrEqual(100);
    expect(ring.lastLines(2)).toBe('line 998\nline 999');
  });

  it('keeps the end of a single piece that is longer than its limit', () => {
    const ring = new LogRing(5);
    ring.append('0123456789');
    expect(ring.text()).toBe('56789');
    ring.append('ab');
    expect(ring.text()).toBe('ab');
  });
});

import { LatencyRing } from '../src/latency.js';

describe('LatencyRing', () => {
  it('gives percentiles by nearest rank', () => {
    const ring = new LatencyRing();
    for (let ms = 100; ms >= 1; ms--) ring.record(ms);
    expect(ring.snapshot()).toEqual({ count: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99, maxMs: 100 });
  });

  it('is all zero before the first record', () => {
    expect(new LatencyRing().snapshot()).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  it('forgets what is older than its window, and still counts it', () => {
    const ring = new LatencyRing(4);
    for (const ms of [9_000, 1, 2, 3, 4]) ring.record(ms);
    expect(ring.snapshot()).toEqual({ count: 5, p50Ms: 2, p95Ms: 4, p99Ms: 4, maxMs: 4 });
  });

  it('takes a negative duration for none', () => {
    const ring = new LatencyRing();
    ring.record(-5);
    expect(ring.snapshot()).toMatchObject({ count: 1, p50Ms: 0, maxMs: 0 });
  });

  it('sorts again only when something was recorded', () => {
    const ring = new LatencyRing();
    ring.record(1);
    const before = ring.snapshot();
    expect(ring.snapshot()).toBe(before);
    ring.record(2);
    expect(ring.snapshot().maxMs).toBe(2);
    expect(before.maxMs).toBe(1);
  });
});

import { StatsCollector } from '../src/stats.js';

describe('StatsCollector', () => {
  it('has the same keys in the same order from the first snapshot on', () => {
    const stats = new StatsCollector();
    const atFirst = Object.keys(stats.snapshot());
    stats.eventsPublished = 3;
    stats.lastPublishAtMs = 1_000;
    stats.publishLatency.record(7);
    expect(Object.keys(stats.snapshot())).toEqual(atFirst);
  });

  it('gives a frozen picture of the moment', () => {
    const stats = new StatsCollector();
    stats.eventsConsumed += 2;
    const snapshot = stats.snapshot();
    stats.eventsConsumed += 1;
    expect(snapshot.eventsConsumed).toBe(2);
    expect(Object.isFrozen(snapshot)).toBe(true);
  });

  it('gives instants as dates, and none for what never happened', () => {
    const stats = new StatsCollector();
    stats.lastConsumeAtMs = Date.UTC(2026, 0, 2);
    const snapshot = stats.snapshot();
    expect(snapshot.lastConsumeAt).toEqual(new Date('2026-01-02T00:00:00.000Z'));
    expect(snapshot.lastPublishAt).toBeUndefined();
    expect(snapshot).toHaveProperty('lastPublishAt');
  });

  it('survives JSON', () => {
    const stats = new StatsCollector();
    stats.inFlight = 5;
    stats.connectedAtMs = Date.UTC(2026, 0, 2);
    stats.handlerLatency.record(12);
    expect(JSON.parse(JSON.stringify(stats.snapshot()))).toMatchObject({
      inFlight: 5,
      connectedAt: '2026-01-02T00:00:00.000Z',
      handlerLatency: { count: 1, p50Ms: 12, p95Ms: 12, p99Ms: 12, maxMs: 12 },
    });
  });
});

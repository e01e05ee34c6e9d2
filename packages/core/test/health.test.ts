import { BusError } from '../src/errors.js';
import { type HealthFacts, healthOf } from '../src/health.js';
import { probe } from '../src/health-probe.js';

const NOW_MS = 1_000_000;
const gone = new BusError('CONNECTION_LOST', 'ECONNRESET 127.0.0.1:9092');

function facts(changes: Partial<HealthFacts> = {}): HealthFacts {
  return {
    state: 'ready',
    consuming: true,
    nowMs: NOW_MS,
    lastProgressAtMs: NOW_MS - 2_500,
    oldestInFlightAtMs: NOW_MS - 40,
    lastError: undefined,
    haltedPartitions: [],
    ping: { ok: true, value: undefined },
    lag: { ok: true, value: 12 },
    ...changes,
  };
}

describe('healthOf', () => {
  it('reports a bus that works', () => {
    expect(healthOf(facts())).toEqual({
      healthy: true,
      state: 'ready',
      connected: true,
      consuming: true,
      secondsSinceProgress: 2.5,
      lag: 12,
      oldestInFlightMs: 40,
      lastError: undefined,
    });
  });

  it('stays healthy after an error that passed', () => {
    expect(healthOf(facts({ lastError: gone }))).toMatchObject({ healthy: true, lastError: gone });
  });

  it.each<[string, Partial<HealthFacts>, string]>([
    [
      'the connection is lost',
      { state: 'reconnecting', lastError: gone },
      'the connection to the broker is lost: ECONNRESET 127.0.0.1:9092',
    ],
    [
      'the first connection failed',
      { state: 'idle', lastError: gone, ping: undefined },
      'not connected: ECONNRESET 127.0.0.1:9092',
    ],
    ['it is still connecting', { state: 'connecting', ping: undefined }, 'not connected yet'],
    [
      'the broker is silent',
      { ping: { ok: false, error: new BusError('TIMEOUT', 'no answer within 500 ms') } },
      'the broker does not answer: no answer within 500 ms',
    ],
    [
      'a partition is halted',
      { haltedPartitions: [3, 5] },
      'halted on partition 3, 5: an event was given up and dead letters are disabled',
    ],
    ['it drains', { state: 'draining' }, 'the bus is shutting down'],
    ['it is closed', { state: 'closed' }, 'the bus is shut down'],
  ])('is unhealthy with the reason when %s', (_, changes, reason) => {
    expect(healthOf(facts(changes))).toMatchObject({ healthy: false, reason });
  });

  it('calls a bus healthy that was not needed yet', () => {
    expect(
      healthOf(facts({ state: 'idle', ping: undefined, lag: undefined, lastProgressAtMs: 0 })),
    ).toMatchObject({
      healthy: true,
      connected: false,
      lag: undefined,
      secondsSinceProgress: undefined,
    });
  });

  it('is not connected when the broker does not answer, and has no lag when that question failed', () => {
    const health = healthOf(facts({ ping: { ok: false, error: gone }, lag: { ok: false, error: gone } }));
    expect(health).toMatchObject({ connected: false, lag: undefined });
  });

  it('gives no negative ages when the clock was set back', () => {
    const health = healthOf(facts({ lastProgressAtMs: NOW_MS + 5_000, oldestInFlightAtMs: NOW_MS + 5_000 }));
    expect(health).toMatchObject({ secondsSinceProgress: 0, oldestInFlightMs: 0 });
  });
});

describe('probe', () => {
  it('gives the answer', async () => {
    expect(await probe('lag', async () => 7, 1_000)).toEqual({ ok: true, value: 7 });
  });

  it('gives up after the time-out with a typed error', async () => {
    const result = await probe('ping', () => new Promise(() => undefined), 5);
    expect(result).toMatchObject({
      ok: false,
      error: { code: 'TIMEOUT', message: 'ping: no answer within 5 ms' },
    });
  });

  it('never rejects, whatever is thrown and however', async () => {
    const thrown = await probe(
      'lag',
      () => {
        throw undefined;
      },
      1_000,
    );
    expect(thrown).toMatchObject({ ok: false, error: { code: 'BROKER' } });
    expect(await probe('lag', () => Promise.reject(gone), 1_000)).toEqual({ ok: false, error: gone });
  });
});

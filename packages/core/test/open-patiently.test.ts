import { BusError } from '../src/errors.js';
import { openPatiently } from '../src/open-patiently.js';

const asBusError = (error: unknown): BusError => error as BusError;
const refused = (): BusError => new BusError('CONNECT', 'refused');

/** Fails as it is told, `undefined` being a success and `null` no answer at all. */
function openings(...outcomes: (BusError | undefined | null)[]) {
  const made: { closed: number; n: number }[] = [];
  const make = () => {
    const one = { n: made.length, closed: 0 };
    made.push(one);
    return {
      n: one.n,
      open: () =>
        new Promise<void>((resolve, reject) => {
          const outcome = outcomes[one.n];
          if (outcome === undefined) resolve();
          else if (outcome) reject(outcome);
        }),
      close: async () => {
        one.closed += 1;
      },
    };
  };
  return { made, make };
}

const never = (): AbortSignal => new AbortController().signal;

describe('openPatiently', () => {
  it('tries again after failures of the moment, and closes what failed', async () => {
    const { made, make } = openings(refused(), refused(), undefined);
    const opened = await openPatiently(make, { timeoutMs: 10_000, asBusError, signal: never() });
    expect(opened.n).toBe(2);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 0]);
  });

  it('does not try again what cannot succeed', async () => {
    const final = new BusError('AUTHENTICATION', 'who?');
    const { made, make } = openings(final, undefined);
    await expect(openPatiently(make, { timeoutMs: 10_000, asBusError, signal: never() })).rejects.toBe(final);
    expect(made).toHaveLength(1);
  });

  it('rejects when the time is up, with the last failure as the reason, and leaves nothing open', async () => {
    const { made, make } = openings(refused(), null);
    const opening = openPatiently(make, { timeoutMs: 200, asBusError, signal: never() });
    await expect(opening).rejects.toMatchObject({
      code: 'CONNECT',
      message: 'Not connected within connectTimeoutMs (200 ms): refused',
      cause: { code: 'CONNECT' },
    });
    expect(made).toHaveLength(2);
    expect(made.every(({ closed }) => closed > 0)).toBe(true);
  });

  it('ends at once when nobody needs it any more', async () => {
    const { made, make } = openings(null);
    const closing = new AbortController();
    const opening = openPatiently(make, { timeoutMs: 60_000, asBusError, signal: closing.signal });
    closing.abort();
    await expect(opening).rejects.toMatchObject({ code: 'CONNECT' });
    expect(made[0]?.closed).toBeGreaterThan(0);
  });
});

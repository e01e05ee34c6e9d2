import { DeadlineError, staysTrue, until, within } from '../src/poll.js';

describe('poll', () => {
  it('resolves to what the probe found', async () => {
    let looks = 0;
    const found = await until('the third look', () => (++looks === 3 ? 'there' : undefined), {
      withinMs: 1_000,
      everyMs: 1,
    });
    expect(found).toBe('there');
  });

  it('says what was waited for, how long, and what was seen last', async () => {
    const waiting = until('a miracle', () => false, { withinMs: 20 });
    await expect(waiting).rejects.toThrow(DeadlineError);
    await expect(waiting).rejects.toThrow('Waited 20 ms for a miracle; last seen: false');
  });

  it('names the last error of a probe that throws', async () => {
    const probe = (): boolean => {
      throw new Error('not yet');
    };
    await expect(until('calm', probe, { withinMs: 10 })).rejects.toThrow('not yet');
  });

  it('rejects for a promise that does not settle in time, and passes on one that does', async () => {
    await expect(within('nothing', new Promise(() => {}), 10)).rejects.toThrow(DeadlineError);
    await expect(within('something', Promise.resolve(1), 10)).resolves.toBe(1);
    await expect(within('a failure', Promise.reject(new Error('own')), 10)).rejects.toThrow('own');
  });

  it('notices at once when something does not stay true', async () => {
    let looks = 0;
    await expect(staysTrue('fewer than three', () => ++looks < 3, 10_000)).rejects.toThrow(
      'fewer than three',
    );
    await expect(staysTrue('always', () => true, 20)).resolves.toBeUndefined();
  });
});

import { ANOMALIES, type AnomalyKind, type CheckOptions, check, explain, isClean } from '../src/checker.js';
import { Log } from './log.js';

/** The kinds found, with the events they were found at. */
function found(log: Log, options: Partial<CheckOptions> = {}): Partial<Record<AnomalyKind, string[]>> {
  const report = check(log.history, { group: 'g', ...options });
  return Object.fromEntries(
    ANOMALIES.filter((kind) => report[kind].length > 0).map((kind) => [
      kind,
      report[kind].map((a) => `${a.key}#${a.sequence}`),
    ]),
  );
}

describe('checker', () => {
  it('finds nothing in a run without faults', () => {
    const log = new Log().published('a', 1).published('b', 1).published('a', 2);
    log.starts('a', 1).handles('b', 1).ends('a', 1).handles('a', 2);
    expect(found(log)).toEqual({});
    expect(check(log.history, { group: 'g' })).toMatchObject({ published: 3, handled: 3 });
  });

  it('calls a confirmed event lost that was never delivered, or never handled', () => {
    const log = new Log().published('a', 1).published('a', 2).published('b', 1);
    log.handles('a', 1).starts('a', 2).ends('a', 2, 'failed');
    expect(found(log)).toEqual({ lost: ['a#2', 'b#1'] });
  });

  it('calls everything lost for a group that was given nothing', () => {
    expect(found(new Log().published('a', 1))).toEqual({ lost: ['a#1'] });
  });

  it('does not call a refused or unconfirmed event lost', () => {
    expect(found(new Log().published('a', 1, 'failed').published('a', 2, 'unknown'))).toEqual({});
  });

  it('does not call an event lost that the group gave up on', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log.starts('a', 1).ends('a', 1, 'failed').handles('a', 2);
    expect(found(log, { givenUp: new Set(['a#1']) })).toEqual({});
    expect(found(log)).toEqual({ lost: ['a#1'], skipped: ['a#1'] });
  });

  it('lets the next event go on when one was given up because it kills its consumers', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log
      .starts('a', 1, { consumer: 'one' })
      .gone('one')
      .starts('a', 1, { consumer: 'two' })
      .gone('two')
      .handles('a', 2);
    expect(found(log, { givenUp: new Set(['a#1']) })).toEqual({ duplicated: ['a#1'] });
    expect(found(log).skipped).toEqual(['a#1']);
  });

  it('calls a delivery unexpected when nobody published it, or the publish was refused', () => {
    const log = new Log().published('a', 1, 'failed').handles('a', 1).handles('x', 7);
    expect(found(log)).toEqual({ unexpected: ['a#1', 'x#7'] });
  });

  it('calls a delivery unexpected that was meant for other groups', () => {
    const log = new Log().published('a', 1).handles('a', 1);
    expect(found(log, { meantFor: (p) => p.key !== 'a' })).toEqual({ unexpected: ['a#1'] });
  });

  it('calls a delivery recovered whose publish was never confirmed', () => {
    expect(found(new Log().published('a', 1, 'unknown').handles('a', 1))).toEqual({ recovered: ['a#1'] });
  });

  it('calls a delivery duplicated after a success, and after one whose consumer died, but not after a failure', () => {
    const log = new Log().published('a', 1).published('b', 1).published('c', 1);
    log.handles('a', 1).handles('a', 1);
    log.starts('b', 1, { consumer: 'dead' }).gone('dead').handles('b', 1);
    log.starts('c', 1).ends('c', 1, 'failed').handles('c', 1, { attempt: 2 });
    expect(found(log)).toEqual({ duplicated: ['a#1', 'b#1'] });
    expect(check(log.history, { group: 'g' }).repeated.map((a) => a.key)).toEqual(['a']);
  });

  it('judges each handler of a group by itself', () => {
    const log = new Log().published('a', 1);
    log.handles('a', 1, { handler: 'h1' }).handles('a', 1, { handler: 'h2' });
    expect(found(log)).toEqual({});
  });

  it('judges each group by itself', () => {
    const log = new Log().published('a', 1).handles('a', 1).handles('a', 1, { group: 'other' });
    expect(found(log)).toEqual({});
  });

  it('calls an event reordered that came first after a later one of its key', () => {
    const log = new Log().published('a', 1).published('a', 2).published('a', 3);
    log.handles('a', 1).handles('a', 3).handles('a', 2);
    expect(found(log)).toEqual({ reordered: ['a#2'] });
  });

  it('does not count a duplicate of an earlier event as reordered', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log.handles('a', 1).handles('a', 2).handles('a', 1);
    expect(found(log)).toEqual({ duplicated: ['a#1'] });
  });

  it('calls an event skipped when a later one of its key started before it was settled', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log.starts('a', 1).ends('a', 1, 'failed').handles('a', 2).handles('a', 1, { attempt: 2 });
    expect(found(log)).toEqual({ skipped: ['a#1'] });
  });

  it('calls an event skipped that is missing between two others', () => {
    const log = new Log().published('a', 1).published('a', 2).published('a', 3);
    log.handles('a', 1).handles('a', 3);
    expect(found(log)).toEqual({ lost: ['a#2'], skipped: ['a#2'] });
  });

  it('lets nothing wait for an event that may not have been stored', () => {
    const log = new Log().published('a', 1).published('a', 2, 'unknown').published('a', 3);
    log.handles('a', 1).handles('a', 3);
    expect(found(log)).toEqual({});
  });

  it('keeps publishers apart where they agree on no order', () => {
    const log = new Log().published('a', 1, 'ok', 'p1');
    log.history.apply({
      kind: 'invoked',
      publisher: 'p2',
      eventId: 'other',
      eventType: 'T',
      key: 'a',
      sequence: 2,
      atMs: 50,
    });
    log.history.apply({ kind: 'published', eventId: 'other', outcome: 'ok', atMs: 51 });
    log.at(60).starts('a', 2).ends('a', 2);
    const other = log.history.deliveries[0];
    // The second publisher's event 2 comes before the first publisher's event 1.
    const history = {
      publishes: log.history.publishes,
      deliveries: other ? [{ ...other, eventId: 'other' }] : [],
    };
    log.at(70).handles('a', 1);
    const all = { ...history, deliveries: [...history.deliveries, ...log.history.deliveries.slice(1)] };
    expect(check(all, { group: 'g', order: 'publisher-and-key' }).reordered).toEqual([]);
    expect(check(all, { group: 'g', order: 'key' }).reordered).toHaveLength(1);
  });

  it('believes the earlier of two ends: what had ended before a freeze may be told after it', () => {
    const log = new Log().published('a', 1).published('a', 2).starts('a', 1);
    log.at(100).gone('c').at(10).ends('a', 1).handles('a', 2);
    expect(found(log)).toEqual({});
  });

  it('calls deliveries of one key overlapping that run at the same time', () => {
    const log = new Log().published('a', 1).published('a', 2).published('b', 1);
    log.starts('a', 1).handles('b', 1).starts('a', 2, { consumer: 'd' }).ends('a', 1).ends('a', 2, 'ok', 'd');
    expect(found(log)).toEqual({ skipped: ['a#1'], overlapping: ['a#2'] });
  });

  it('does not count a delivery as running whose consumer is gone', () => {
    const log = new Log().published('a', 1);
    log.starts('a', 1, { consumer: 'dead' }).gone('dead').handles('a', 1);
    expect(found(log)).toEqual({ duplicated: ['a#1'] });
  });

  it('sorts facts of several processes by their clock', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log.at(200).handles('a', 2, { consumer: 'late' });
    log.at(100).handles('a', 1, { consumer: 'early' });
    expect(found(log)).toEqual({});
  });

  it('is clean but for what is tolerated', () => {
    const log = new Log().published('a', 1).handles('a', 1).handles('a', 1);
    const report = check(log.history, { group: 'g' });
    expect(isClean(report)).toBe(false);
    expect(isClean(report, ['duplicated'])).toBe(true);
  });

  it('explains an anomaly with the history of its key', () => {
    const log = new Log().published('a', 1).published('a', 2).published('a', 3);
    log.handles('a', 1).handles('a', 3).handles('a', 2);
    const text = explain(check(log.history, { group: 'g' }), log.history);
    expect(text).toContain('1 reordered:');
    expect(text).toMatch(/a#3 attempt 1 at c p0@3: ok\n.*a#2 attempt 1 at c p0@2: ok/);
  });
});

import { InMemoryEventBus } from '@omnibus/core';

import { longestGaps } from '../src/nemesis/gaps.js';
import { shortestHistory } from '../src/nemesis/key-history.js';
import type { Fate } from '../src/nemesis/traffic.js';
import { breachesOf, type GroupVerdict, judgeGroup, unbalanced } from '../src/nemesis/verdict.js';
import { Log } from './log.js';

function judge(
  log: Log,
  letters: Readonly<Record<string, string>> = {},
  fates: Readonly<Record<string, Fate>> = {},
): GroupVerdict {
  const named = Object.entries(letters).map(([eventId, reason]) => ({ eventId, reason }));
  return judgeGroup(log.history, 'g', named, new Map(Object.entries(fates)));
}

function kindsOf(verdict: GroupVerdict): readonly string[] {
  return breachesOf(verdict).map(({ kind, anomaly }) => `${kind} ${anomaly.eventId}`);
}

describe('the verdict on a group', () => {
  it('is clean when every event ended as it had to, and what came again had been settled', () => {
    const log = new Log().published('a', 1).published('a', 2).published('a', 3);
    log.starts('a', 1).ends('a', 1, 'failed').handles('a', 2).handles('a', 3);
    // After a crash that nobody was blamed for, all of it once more.
    log.starts('a', 1).ends('a', 1, 'failed').handles('a', 2).handles('a', 3);
    expect(kindsOf(judge(log, { 'a#1': 'non-retryable' }, { 'a#1': 'non-retryable' }))).toEqual([]);
  });

  it('misses dead letters, and finds those that should not be', () => {
    const log = new Log().published('a', 1).published('b', 1).published('c', 1).handles('b', 1);
    const verdict = judge(log, { 'b#1': 'max-retries', 'd#1': 'crash' }, { 'a#1': 'max-retries' });
    expect(kindsOf(verdict)).toEqual([
      'lost a#1',
      'lost c#1',
      'missing dead letter a#1',
      'unexpected dead letter b#1',
      'unexpected dead letter d#1',
    ]);
  });

  it('takes an event for unlucky only when its consumer died over it', () => {
    const log = new Log().published('a', 1).published('b', 1).starts('a', 1).gone('c');
    const verdict = judge(log, { 'a#1': 'crash', 'b#1': 'crash' });
    expect(verdict.letters.unlucky.map(({ eventId }) => eventId)).toEqual(['a#1']);
    expect(kindsOf(verdict)).toEqual(['unexpected dead letter b#1']);
  });

  it('takes for unlucky too what waited for its next attempt, the last that its consumer had started', () => {
    const log = new Log().published('a', 1).published('b', 1).published('c', 1);
    log.handles('b', 1).starts('a', 1).ends('a', 1, 'failed').handles('c', 1, { consumer: 'd' });
    const verdict = judge(log, { 'a#1': 'crash', 'b#1': 'crash' }, { 'a#1': 'max-retries' });
    expect(kindsOf(verdict)).toEqual(['unexpected dead letter b#1']);
  });

  it('counts attempts beyond the maximum', () => {
    const log = new Log().published('a', 1).handles('a', 1, { attempt: 5 });
    expect(kindsOf(judge(log))).toEqual(['overAttempted a#1']);
  });

  it('does not take for running what a frozen consumer had started and told late', () => {
    const log = new Log().published('a', 1).at(20).gone('c').at(10).starts('a', 1);
    log.at(30).handles('a', 1, { consumer: 'd' });
    expect(kindsOf(judge(log))).toEqual([]);
  });
});

describe('the history that is shown', () => {
  it('is the shortest of those that broke, with its neighbours and the faults meanwhile', () => {
    const log = new Log();
    for (let n = 1; n <= 3; n += 1) log.published('a', n).published('b', n);
    log.handles('a', 1).handles('a', 2).handles('a', 2).handles('a', 3);
    log.at(50).handles('b', 1).starts('b', 2).ends('b', 2, 'failed').handles('b', 3);
    // Broken as well, and longer to read.
    log.published('c', 1);
    for (let n = 0; n < 20; n += 1) log.starts('c', 1).ends('c', 1, 'failed');
    const breaches = breachesOf(judge(log));
    const fault = { kind: 'broker-kill', words: 'broker-kill for 5 ms', fromMs: 49, untilMs: 52 } as const;
    const lines = shortestHistory(log.history, [fault], breaches);
    expect(lines[0]).toContain('lost in g: b#2');
    expect(lines.slice(1).join('\n')).not.toContain('a#');
    expect(lines.some((line) => line.endsWith('-- broker-kill for 5 ms'))).toBe(true);
    expect(lines.at(-1)).toContain('b#3 attempt 1 at c ended: ok');
  });

  it('is empty when nothing broke', () => {
    expect(shortestHistory(new Log().history, [], [])).toEqual([]);
  });
});

describe('what is measured beside the verdict', () => {
  it('is the longest time without a delivery, from the fault to the next', () => {
    const log = new Log().published('a', 1).published('a', 2);
    log.at(100).handles('a', 1).at(700).handles('a', 2);
    const faults = [
      { kind: 'broker-kill', words: '', fromMs: 200, untilMs: 300 },
      { kind: 'deploy', words: '', fromMs: 1_000, untilMs: 1_100 },
    ] as const;
    expect(longestGaps(log.history, faults, 1_250)).toEqual({ 'broker-kill': 501, deploy: 250 });
  });

  it('finds counters that do not add up', () => {
    const { stats } = new InMemoryEventBus();
    expect(unbalanced([{ consumer: 'a', stats }])).toEqual([]);
    expect(unbalanced([{ consumer: 'a', stats: { ...stats, eventsConsumed: 3 } }])).toEqual([
      'a consumed 3 events and accounts for 0',
    ]);
  });
});

import { audit } from '../src/audit/audit.js';
import { deadLetters, departures, evidence, honestCounters, REPLAYED_AT_US, run, runs } from './evidence.js';

const published = departures('DFW', 4);

/** Version 2 fails for good, is given up, and is handled when it is replayed. */
const withDeadLetter = [
  run('DFW', 1, 0),
  ...[1, 2, 3, 4].map((attempt) => run('DFW', 2, 100 + attempt * 20, { outcome: 'failed', attempt })),
  run('DFW', 3, 300),
  run('DFW', 4, 400),
  run('DFW', 2, REPLAYED_AT_US + 1),
];

describe('The audit', () => {
  it('is clean when every group handled every event once and in order', () => {
    const { problems, groups } = audit(evidence(published, runs('DFW', [1, 2, 3, 4])));
    expect(problems).toEqual([]);
    expect(groups[0]).toMatchObject({ handled: 4, lost: 0, duplicated: 0, reordered: 0, retried: 0 });
  });

  it('finds a lost event', () => {
    const { problems, groups } = audit(evidence(published, runs('DFW', [1, 2, 4])));
    expect(groups[0]).toMatchObject({ handled: 3, lost: 1 });
    expect(problems).toEqual(['delay-board: 1 events were lost']);
  });

  it('counts an event that only ever failed as lost', () => {
    const failing = [...runs('DFW', [1, 2, 3]), run('DFW', 4, 300, { outcome: 'failed' })];
    expect(audit(evidence(published, failing)).groups[0]).toMatchObject({ lost: 1 });
  });

  it('finds an event that was handled twice, and calls it a problem when no process died', () => {
    const { problems, groups } = audit(evidence(published, runs('DFW', [1, 2, 2, 3, 4])));
    expect(groups[0]).toMatchObject({ handled: 4, duplicated: 1, reordered: 0 });
    expect(problems).toEqual(['delay-board: 1 events were handled again, though no process died']);
  });

  it('allows an event to be handled twice when a process died', () => {
    const taken = [...runs('DFW', [1, 2]), run('DFW', 2, 500, { consumer: 'consumer-2' })];
    const rest = [3, 4].map((version) => run('DFW', version, version * 1_000, { consumer: 'consumer-2' }));
    const died = new Set(['consumer-1']);
    const { problems, groups } = audit(evidence(published, [...taken, ...rest], { died, counters: [] }));
    expect(groups[0]).toMatchObject({ handled: 4, duplicated: 1 });
    expect(problems).toEqual([]);
  });

  it('finds events out of order', () => {
    const { problems, groups } = audit(evidence(published, runs('DFW', [2, 1, 3, 4])));
    expect(groups[0]).toMatchObject({ reordered: 1, lost: 0 });
    expect(problems).toEqual(['delay-board: 1 runs were out of order']);
  });

  it('counts a dead letter and its replay apart from the order of the stream', () => {
    const { problems, groups } = audit(
      evidence(published, withDeadLetter, { deadLetters: deadLetters('DFW-2') }),
    );
    expect(groups[0]).toMatchObject({ handled: 4, retried: 3, deadLettered: 1, replayed: 1, reordered: 0 });
    expect(problems).toEqual([]);
  });

  it('excuses nothing that comes late without being a listed dead letter', () => {
    const { groups } = audit(evidence(published, withDeadLetter, { deadLetters: deadLetters() }));
    expect(groups[0]).toMatchObject({ reordered: 1, replayed: 0 });
  });

  it('finds a dead letter that was handled, but not after the replay', () => {
    const early = withDeadLetter.map((entry) =>
      entry.startedAtUs > REPLAYED_AT_US ? run('DFW', 2, 500) : entry,
    );
    const { problems } = audit(evidence(published, early, { deadLetters: deadLetters('DFW-2') }));
    expect(problems).toEqual(['delay-board: 1 dead letters were not handled after the replay']);
  });

  it('finds replays that come in another order than the events had', () => {
    const swapped = [
      ...runs('DFW', [1, 2, 3, 4], { outcome: 'failed' }).slice(1, 3),
      run('DFW', 1, 0),
      run('DFW', 4, 400),
      run('DFW', 3, REPLAYED_AT_US + 1),
      run('DFW', 2, REPLAYED_AT_US + 100),
    ];
    const { groups } = audit(evidence(published, swapped, { deadLetters: deadLetters('DFW-2', 'DFW-3') }));
    expect(groups[0]).toMatchObject({ reordered: 1, replayed: 2 });
  });

  it('finds runs of events that were not published like this', () => {
    const strange = [
      ...runs('DFW', [1, 2, 3, 4]),
      run('DFW', 9, 900),
      run('ORD', 1, 950, { eventId: 'DFW-1' }),
    ];
    expect(audit(evidence(published, strange)).problems).toContain(
      'delay-board: 2 runs were of events that were not published like this',
    );
  });

  it('finds dead letters that had no reason to be', () => {
    const doomed = deadLetters();
    const { problems } = audit(
      evidence(published, withDeadLetter, { deadLetters: deadLetters('DFW-2'), doomed }),
    );
    expect(problems).toEqual(['delay-board: 1 dead letters are of events that do not fail for good']);
  });

  it('finds dead letters that the bus does not list, and those that are left', () => {
    const all = runs('DFW', [1, 2, 3, 4]);
    const { problems } = audit(
      evidence(published, all, { doomed: deadLetters('DFW-3'), deadLettersLeft: 2 }),
    );
    expect(problems).toEqual([
      'delay-board: 1 events that fail for good are not among the dead letters',
      '2 dead letters are left after the replay',
    ]);
  });

  it('finds a result that is not the one of the file', () => {
    const differing = { 'delay-board': ['DFW'], 'route-count': [] };
    const { problems } = audit(evidence(published, runs('DFW', [1, 2, 3, 4]), { differing }));
    expect(problems).toEqual(["delay-board: the result differs from the file's: DFW"]);
  });

  it('finds a bus whose counters are not what its handlers recorded', () => {
    const done = runs('DFW', [1, 2, 3, 4]);
    const wrong = { ...honestCounters('delay-board', done), eventsProcessedSuccess: 5 };
    const right = { ...honestCounters('delay-board', done), group: 'route-count' as const };
    const { problems } = audit(evidence(published, done, { counters: [wrong, right], publishedByBus: 3 }));
    expect(problems).toEqual([
      'the publishing bus counted 3 events instead of 4',
      'delay-board: the bus says eventsProcessedSuccess 5, the handlers recorded 4',
    ]);
  });

  it('adds up the counters of all consumers of a group', () => {
    const done = runs('DFW', [1, 2, 3, 4]);
    const counters = [done.slice(0, 1), done.slice(1)].flatMap((part) => [
      honestCounters('delay-board', part),
      { ...honestCounters('delay-board', part), group: 'route-count' as const },
    ]);
    expect(audit(evidence(published, done, { counters })).problems).toEqual([]);
  });
});

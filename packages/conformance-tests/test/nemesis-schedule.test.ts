import { UsageError } from '../src/cli-options.js';
import { offersOf } from '../src/nemesis/offers.js';
import { FAULT_KINDS, scheduleOf } from '../src/nemesis/schedule.js';
import { readNemesisOptions } from '../src/nemesis-options.js';
import { memorySubject } from '../src/shipped/memory.js';

const REQUEST = { seed: 7, durationMs: 600_000, kinds: FAULT_KINDS, leaseMs: 6_000 };

describe('the schedule', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(scheduleOf(REQUEST)).toEqual(scheduleOf(REQUEST));
    expect(scheduleOf({ ...REQUEST, seed: 8 })).not.toEqual(scheduleOf(REQUEST));
    const short = scheduleOf({ ...REQUEST, durationMs: 60_000, seed: 11 });
    expect(short.map(({ fault }) => fault.kind)).toEqual([
      'network-cut',
      'deploy',
      'consumer-leave',
      'consumer-join',
      'network-slow',
    ]);
  });

  it('begins no fault before the one before is over and had time to be recovered from', () => {
    const schedule = scheduleOf(REQUEST);
    schedule.slice(1).forEach(({ atMs }, n) => {
      const { atMs: before, fault } = schedule[n] ?? { atMs: 0, fault: { forMs: 0 } };
      expect(atMs - before - fault.forMs).toBeGreaterThanOrEqual(6_000);
    });
    const last = schedule.at(-1);
    expect((last?.atMs ?? 0) + (last?.fault.forMs ?? 0)).toBeLessThan(REQUEST.durationMs);
  });

  it('has every kind once before any comes again', () => {
    const kinds = scheduleOf(REQUEST).map(({ fault }) => fault.kind);
    for (let from = 0; from + FAULT_KINDS.length <= kinds.length; from += FAULT_KINDS.length)
      expect(new Set(kinds.slice(from, from + FAULT_KINDS.length)).size).toBe(FAULT_KINDS.length);
  });

  it('is empty when nothing is offered', () => {
    expect(scheduleOf({ ...REQUEST, kinds: [] })).toEqual([]);
  });
});

describe('what a subject offers', () => {
  it('says why it leaves a fault out', () => {
    const { offered, notOffered } = offersOf(memorySubject());
    expect([...offered, ...Object.keys(notOffered)].sort()).toEqual([...FAULT_KINDS].sort());
    expect(notOffered['network-cut']).toBe('this broker is reached without a network');
  });

  it('hurts single nodes only where there are several', () => {
    const { faults, ...subject } = memorySubject();
    const nothing = (): Promise<void> => Promise.resolve();
    const node = { stop: nothing, kill: nothing, start: nothing, pause: nothing, resume: nothing };
    const { offered } = offersOf({ ...subject, faults: { ...faults, nodes: [node, node, node] } });
    expect(offered).toEqual(
      expect.arrayContaining(['node-kill', 'node-freeze', 'majority-kill', 'rolling-restart']),
    );
    expect(offersOf(memorySubject()).notOffered['node-kill']).toBe('the broker is a single node');
  });

  it('kills no broker of which nobody says that it keeps what it confirmed', () => {
    const { survivesKill: _, ...subject } = memorySubject();
    expect(offersOf(subject).offered).not.toContain('broker-kill');
    expect(offersOf(subject).notOffered['broker-kill']).toContain('survivesKill');
  });
});

describe('the command line', () => {
  it('reads what is asked for', () => {
    expect(readNemesisOptions(['--bus', 'redis', '--minutes', '30', '--seed', '7'])).toEqual({
      bus: 'redis',
      cluster: false,
      modulePath: undefined,
      duration: '--minutes 30',
      durationMs: 1_800_000,
      seed: 7,
      reportPath: undefined,
    });
    expect(readNemesisOptions(['--bus', 'kafka', '--cluster'])).toMatchObject({
      bus: 'kafka',
      cluster: true,
    });
    expect(readNemesisOptions(['--bus', 'memory'])).toMatchObject({ durationMs: 90_000 });
    expect(readNemesisOptions(['--help'])).toBe('help');
  });

  it.each([
    [[]],
    [['--bus', 'nats']],
    [['--bus', 'memory', '--minutes', 'x']],
    [['--bus', 'memory', '--minutes', '1', '--seconds', '60']],
    [['--bus', 'memory', '--seconds', '3']],
    [['--bus', 'memory', '--seed', '-1']],
    [['--bus', 'memory', '--cluster']],
    [['--bus', 'memory', '--colour']],
  ])('refuses %j', (args) => {
    expect(() => readNemesisOptions(args)).toThrow(UsageError);
  });
});

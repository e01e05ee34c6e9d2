import { EMPTY_JOURNAL, formatJournal } from '../src/journal.js';
import { type RunCounts, UnheardRuns } from '../src/unheard-runs.js';
import {
  closeEngines,
  type HandPort,
  handEngine,
  NO_JOURNALS,
  recordOf,
  recordsOf,
} from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

interface Run {
  readonly key: string;
  readonly attempt: number;
  readonly redelivered: boolean;
}

/** An engine that notes each run. `hang` keys never end, `bad` keys fail in every attempt. */
function notingEngine(maxRetries = 3): ReturnType<typeof handEngine> & { readonly runs: Run[] } {
  const runs: Run[] = [];
  const retry = { maxRetries, baseDelayMs: 1, jitter: 0 };
  const made = handEngine({ retry }, ({ aggregateId: key }, { attempt, redelivered }) => {
    runs.push({ key, attempt, redelivered });
    if (key === 'hang') return new Promise(() => undefined);
    if (key === 'bad') throw new Error('no');
    return undefined;
  });
  return { ...made, runs };
}

/** As the broker has it: saved by the owner before. */
function journalOf(port: HandPort): ReadonlyMap<number, string> {
  return new Map([[0, port.journals.at(-1) ?? '']]);
}

describe('an event that comes again to the process that handled it', () => {
  it.each(['done', 'hang'])('says so, and counts the run before (%s)', async (key) => {
    const { assign, runs } = notingEngine();
    const first = assign(0);
    await first.lane.open(NO_JOURNALS);
    first.lane.deliver([recordOf(0, key)]);
    await until('the first run', () => runs.length === 1);
    first.lane.lost();
    const second = assign(0);
    await second.lane.open(journalOf(first.port));
    second.lane.deliver([recordOf(0, key), recordOf(1, 'new')]);
    await until('the second run', () => runs.length === 3);
    expect(runs).toEqual([
      { key, attempt: 1, redelivered: false },
      { key, attempt: 2, redelivered: true },
      { key: 'new', attempt: 1, redelivered: false },
    ]);
  });

  it('counts each loss, and uses up no retry by it', async () => {
    const { assign, runs, stats } = notingEngine(2);
    let journals: ReadonlyMap<number, string> = NO_JOURNALS;
    for (let loss = 0; loss < 5; loss += 1) {
      const { lane, port } = assign(0);
      await lane.open(journals);
      lane.deliver([recordOf(0, 'hang')]);
      await until('the run', () => runs.length === loss + 1);
      lane.lost();
      journals = journalOf(port);
    }
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 3, 3]);
    expect(stats.messagesSentToDlq).toBe(0);
  });

  it('is not counted twice when the run before was written down as failed', async () => {
    const { assign, runs } = notingEngine();
    const first = assign(0);
    await first.lane.open(NO_JOURNALS);
    first.port.saving = async () => {
      if (runs.length === 2) first.lane.lost();
    };
    first.lane.deliver([recordOf(0, 'bad')]);
    await until('two runs and the loss', () => runs.length === 2);
    const journal = formatJournal({ ...EMPTY_JOURNAL, opener: 'me', failures: new Map([['0', 2]]) });
    const second = assign(0);
    await second.lane.open(new Map([[0, journal]]));
    second.lane.deliver([recordOf(0, 'bad')]);
    await until('the next run', () => runs.length >= 3);
    expect(runs[2]).toEqual({ key: 'bad', attempt: 3, redelivered: true });
  });

  it('is new when what was handled before is durable', async () => {
    const { assign, runs } = notingEngine();
    const first = assign(0);
    await first.lane.open(NO_JOURNALS);
    first.lane.deliver(recordsOf(3));
    await until('the runs', () => runs.length === 3);
    await first.lane.handOver(1_000);
    first.lane.lost();
    const second = assign(0);
    await second.lane.open(journalOf(first.port));
    // The broker forgot it all: the topic was made anew, and begins with the same positions.
    second.lane.deliver(recordsOf(3));
    await until('the runs', () => runs.length === 6);
    expect(runs.every(({ attempt, redelivered }) => attempt === 1 && !redelivered)).toBe(true);
  });

  it('is new when somebody else owned the partition meanwhile', async () => {
    const { assign, runs } = notingEngine();
    const first = assign(0);
    await first.lane.open(NO_JOURNALS);
    first.lane.deliver([recordOf(0, 'hang')]);
    await until('the run', () => runs.length === 1);
    first.lane.lost();
    const second = assign(0);
    await second.lane.open(new Map([[0, formatJournal(EMPTY_JOURNAL)]]));
    second.lane.deliver([recordOf(0, 'hang')]);
    await until('the run', () => runs.length === 2);
    expect(runs[1]).toEqual({ key: 'hang', attempt: 1, redelivered: false });
  });
});

describe('UnheardRuns', () => {
  it('forgets what became durable, and keeps what did not', () => {
    const runs = new UnheardRuns(100);
    runs.told(recordsOf(2));
    runs.told(recordsOf(3, undefined, 2));
    runs.heard(2);
    expect(runs.undurable).toBe(3);
    expect([...runs.left(['9'])]).toEqual([
      ['2', 1],
      ['3', 1],
      ['4', 1],
      ['9', 1],
    ]);
  });

  it('does not grow with the losses: the oldest are forgotten', () => {
    let left: RunCounts = new Map();
    for (let loss = 0; loss < 50; loss += 1) {
      const runs = new UnheardRuns(4);
      runs.recall(left);
      runs.told(recordsOf(3, undefined, 3 * loss));
      left = runs.left([]);
    }
    expect([...left.keys()]).toEqual(['146', '147', '148', '149']);
  });

  it('takes no notice of what becomes durable after the loss', () => {
    const runs = new UnheardRuns(100);
    runs.told(recordsOf(2));
    expect([...runs.left([]).keys()]).toEqual(['0', '1']);
    runs.heard(2);
    expect(runs.undurable).toBe(0);
  });

  it('keeps what did not come again through several losses', () => {
    const first = new UnheardRuns(100);
    const second = new UnheardRuns(100);
    second.recall(first.left(['1', '2']));
    expect([second.seen('1'), second.seen('1'), second.seen('7')]).toEqual([1, 0, 0]);
    expect([...second.left(['1'])]).toEqual([
      ['2', 1],
      ['1', 2],
    ]);
  });
});

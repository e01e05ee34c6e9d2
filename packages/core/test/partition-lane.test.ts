import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

import { Delivery, KeyLane } from '../src/delivery.js';
import { EMPTY_JOURNAL, formatJournal, parseJournal } from '../src/journal.js';
import { closeEngines, handEngine, NO_JOURNALS, recordOf, recordsOf } from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

const ONE_TRY = { retry: { maxRetries: 0 } } as const;
const HALTING = { ...ONE_TRY, deadLetters: { enabled: false } } as const;

function failOn(key: string): (event: { aggregateId: string }) => void {
  return ({ aggregateId }) => {
    if (aggregateId === key) throw new Error('no');
  };
}

/** Lets everything happen that does not wait for time. */
async function settle(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await turn();
}

describe('a halted partition', () => {
  it('takes no credit from the others, whatever waits in it', async () => {
    const { engine, stats, assign } = handEngine(
      { ...HALTING, concurrency: 4, maxInFlight: 10 },
      failOn('bad'),
    );
    const [halted, other] = [assign(0), assign(1)];
    await Promise.all([halted.lane.open(NO_JOURNALS), other.lane.open(NO_JOURNALS)]);
    halted.lane.deliver(recordsOf(50, () => 'bad'));
    await until('the halt', () => engine.haltedPartitions.length === 1);
    other.lane.deliver(recordsOf(50));
    await until('the other partition', () => stats.eventsProcessedSuccess === 50);
    expect(halted.port.paused).toBe(true);
    expect(other.port.paused).toBe(false);
    halted.lane.lost();
    expect(engine.haltedPartitions).toEqual([]);
    expect(stats.inFlight).toBe(0);
    expect(stats.eventsReleased).toBe(10);
  });

  it('does not keep the process in serial mode', async () => {
    const { engine, assign } = handEngine(HALTING, (event) => {
      failOn('bad')(event);
      return event.aggregateId === 'good' ? undefined : new Promise(() => undefined);
    });
    const { lane } = assign(0);
    const died = formatJournal({ ...EMPTY_JOURNAL, opener: 'dead' });
    await lane.open(new Map([[0, died]]));
    lane.deliver([recordOf(0, 'bad'), recordOf(1, 'good')]);
    await until('the halt', () => engine.haltedPartitions.length === 1);
    await settle();
    const other = assign(1);
    await other.lane.open(NO_JOURNALS);
    other.lane.deliver([recordOf(0, 'slow a'), recordOf(1, 'slow b')]);
    await until('two handlers at once', () => engine.running === 2);
  });
});

describe('a key that does not get on', () => {
  it('bounds what is handled behind it, and does not stop other partitions', async () => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { stats, assign } = handEngine({ concurrency: 4, maxInFlight: 10 }, ({ aggregateId }) =>
      aggregateId === 'slow' ? stuck : undefined,
    );
    const [slow, other] = [assign(0), assign(1)];
    await Promise.all([slow.lane.open(NO_JOURNALS), other.lane.open(NO_JOURNALS)]);
    slow.lane.deliver([recordOf(0, 'slow'), ...recordsOf(200, undefined, 1)]);
    await settle();
    // As far behind the first unsettled event as the crash journal holds suspects.
    expect(stats.eventsProcessedSuccess).toBeGreaterThanOrEqual(10);
    expect(stats.eventsProcessedSuccess).toBeLessThan(30);
    expect(slow.port.paused).toBe(true);
    for (let n = 0; n < 20; n += 1) {
      other.lane.deliver(recordsOf(10, undefined, n * 10));
      await settle();
      expect(other.port.paused).toBe(false);
    }
    expect(other.port.settledPositions).toHaveLength(200);
    release();
    await until('the rest', () => stats.eventsProcessedSuccess === 401);
    await until('the watermark', () => slow.port.watermark === '200');
    expect(slow.port.paused).toBe(false);
  });
});

describe('a lost partition', () => {
  it('gives its credit back at once, also when nothing of it was running', async () => {
    const { stats, assign } = handEngine(
      { concurrency: 2, maxInFlight: 2, retry: { baseDelayMs: 60_000 } },
      failOn('bad'),
    );
    const [retrying, waiting] = [assign(0), assign(1)];
    await Promise.all([retrying.lane.open(NO_JOURNALS), waiting.lane.open(NO_JOURNALS)]);
    retrying.lane.deliver(recordsOf(2, () => 'bad'));
    await until('the failure', () => stats.handlerErrors === 1);
    waiting.lane.deliver(recordsOf(2));
    await settle();
    expect(stats.eventsProcessedSuccess).toBe(0);
    retrying.lane.lost();
    await until('the other partition', () => stats.eventsProcessedSuccess === 2);
  });

  it('writes no journal when it is opened', async () => {
    const { assign } = handEngine({}, () => undefined);
    const { lane, port } = assign(0);
    lane.lost();
    await lane.open(NO_JOURNALS);
    expect(port.journals).toEqual([]);
  });
});

describe('a partition that its port knows to be gone', () => {
  it('starts nothing more, also of the handlers of one event, and serves the others', async () => {
    let release = (): void => undefined;
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const calls: string[] = [];
    const { engine, registry, stats, assign } = handEngine({}, ({ aggregateId }) => {
      calls.push(`first ${aggregateId}`);
      return aggregateId === 'gone' ? first : undefined;
    });
    registry.subscribe('Counted', ({ aggregateId }) => void calls.push(`second ${aggregateId}`));
    const [gone, other] = [assign(0), assign(1)];
    await Promise.all([gone.lane.open(NO_JOURNALS), other.lane.open(NO_JOURNALS)]);
    gone.lane.deliver(recordsOf(2, () => 'gone'));
    await until('the handler', () => engine.running === 1);
    gone.port.isOwned = false;
    release();
    await settle();
    other.lane.deliver(recordsOf(1, () => 'other'));
    await until('the other partition', () => stats.eventsProcessedSuccess >= 1);
    gone.lane.lost();
    await settle();
    expect(calls).toEqual(['first gone', 'first other', 'second other']);
    expect(stats.inFlight).toBe(0);
  });
});

describe('a closed engine', () => {
  it('handles nothing that is assigned to it', async () => {
    let calls = 0;
    const { engine, assign } = handEngine({}, () => {
      calls += 1;
    });
    engine.close();
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    engine.resume();
    await settle();
    expect(calls).toBe(0);
    expect(port.journals).toEqual([]);
  });
});

describe('opening', () => {
  it('counts the attempts of former lives also for what was delivered before', async () => {
    const attempts: number[] = [];
    const { assign } = handEngine({}, (_event, { attempt, redelivered }) => {
      expect(redelivered).toBe(true);
      attempts.push(attempt);
    });
    const { lane } = assign(0);
    lane.deliver([recordOf(7, 'a')]);
    const journal = formatJournal({ ...EMPTY_JOURNAL, failures: new Map([['7', 2]]) });
    await lane.open(new Map([[0, journal]]));
    await until('the event', () => attempts.length > 0);
    expect(attempts).toEqual([3]);
  });

  it('starts nothing when the partition was handed over meanwhile', async () => {
    let calls = 0;
    let saved = (): void => undefined;
    const { assign } = handEngine({}, () => {
      calls += 1;
    });
    const { lane, port } = assign(0);
    port.saving = () =>
      new Promise((resolve) => {
        saved = resolve;
      });
    const opening = lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    port.saving = async () => undefined;
    const handingOver = lane.handOver(1_000);
    saved();
    await Promise.all([opening, handingOver]);
    await settle();
    expect(calls).toBe(0);
    expect(parseJournal(port.journals.at(-1)).opener).toBeUndefined();
    await lane.resume();
    await until('the event', () => calls === 1);
  });

  it('starts nothing when a second hand-over began before a resume was through', async () => {
    let calls = 0;
    let saved = (): void => undefined;
    const { assign } = handEngine({}, () => {
      calls += 1;
    });
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    await lane.handOver(1_000);
    lane.deliver(recordsOf(1));
    port.saving = () =>
      new Promise((resolve) => {
        saved = resolve;
      });
    const resuming = lane.resume();
    port.saving = async () => undefined;
    const handingOver = lane.handOver(1_000);
    saved();
    await Promise.all([resuming, handingOver]);
    await settle();
    expect(calls).toBe(0);
    expect(parseJournal(port.journals.at(-1)).opener).toBeUndefined();
  });

  it('may be tried again when the journal could not be saved, and counts one death', async () => {
    let calls = 0;
    const { assign } = handEngine({}, () => {
      calls += 1;
    });
    const { lane, port } = assign(0);
    const journals = new Map([[0, formatJournal({ ...EMPTY_JOURNAL, opener: 'dead' })]]);
    port.saving = () => Promise.reject(new Error('broker down'));
    lane.deliver(recordsOf(1));
    await expect(lane.open(journals)).rejects.toThrow('broker down');
    await settle();
    expect(calls).toBe(0);
    port.saving = async () => undefined;
    await lane.open(journals);
    await until('the event', () => calls === 1);
    expect(parseJournal(port.journals[0]).anonymousDeaths).toBe(1);
  });

  it('that never began leaves the journal of the former owner as it is', async () => {
    const { assign } = handEngine({}, () => undefined);
    const { lane, port } = assign(0);
    await lane.handOver(1_000);
    lane.lost();
    expect(port.journals).toEqual([]);
  });
});

describe('handing over', () => {
  it('waits for running handlers, tells what is settled and leaves a clean journal', async () => {
    let release = (): void => undefined;
    const { engine, assign } = handEngine(
      {},
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(2, () => 'a'));
    await until('the handler', () => engine.running === 1);
    let over = false;
    const handingOver = lane.handOver(5_000).then(() => {
      over = true;
    });
    await settle();
    expect(over).toBe(false);
    release();
    await handingOver;
    expect(port.settledPositions).toEqual(['0']);
    expect(engine.running).toBe(0);
    expect(parseJournal(port.journals.at(-1)).opener).toBeUndefined();
  });

  it('is over in time when a handler does not end, and when nothing can be saved', async () => {
    const { engine, statuses, assign } = handEngine({}, () => new Promise<void>(() => undefined));
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    await until('the handler', () => engine.running === 1);
    port.saving = () => Promise.reject(new Error('broker down'));
    await lane.handOver(10);
    expect(statuses).toEqual([expect.objectContaining({ type: 'error' })]);
  });

  it('waits for a dead letter that is being written for an event without attempts left', async () => {
    const journal = formatJournal({ ...EMPTY_JOURNAL, deaths: new Map([['0', 4]]) });
    let written = (): void => undefined;
    const { stats, assign } = handEngine({}, () => undefined);
    const { lane, port } = assign(0);
    port.writing = () =>
      new Promise((resolve) => {
        written = resolve;
      });
    await lane.open(new Map([[0, journal]]));
    lane.deliver(recordsOf(1));
    let over = false;
    const handingOver = lane.handOver(5_000).then(() => {
      over = true;
    });
    await settle();
    expect(over).toBe(false);
    written();
    await handingOver;
    expect(stats.messagesSentToDlq).toBe(1);
    expect(port.settledPositions).toEqual(['0']);
  });

  it('keeps a suspect from starting whose intent is saved too late', async () => {
    let calls = 0;
    let saved = (): void => undefined;
    const { engine, assign } = handEngine(ONE_TRY, () => {
      calls += 1;
    });
    const { lane, port } = assign(0);
    await lane.open(new Map([[0, formatJournal({ ...EMPTY_JOURNAL, opener: 'dead' })]]));
    port.saving = () =>
      new Promise((resolve) => {
        saved = resolve;
      });
    lane.deliver(recordsOf(1));
    await settle();
    port.saving = async () => undefined;
    const handingOver = lane.handOver(10);
    await sleep(30);
    saved();
    await handingOver;
    await settle();
    expect(calls).toBe(0);
    expect(engine.running).toBe(0);
    await lane.resume();
    await until('the event', () => calls === 1);
    expect(parseJournal(port.journals.at(-1))).toMatchObject({ opener: 'me', intent: { position: '0' } });
  });
});

describe('a dead letter that cannot be written', () => {
  it('leaves a note of the attempts, so that a crash does not give the event more of them', async () => {
    const { stats, assign } = handEngine({ retry: { maxRetries: 1, baseDelayMs: 1 } }, failOn('bad'));
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    port.writing = () => Promise.reject(new Error('full'));
    lane.deliver([recordOf(3, 'bad')]);
    await until('the attempts', () => stats.handlerErrors === 2);
    await until('the note', () => parseJournal(port.journals.at(-1)).failures.get('3') === 2);
    lane.lost();
  });
});

describe('a key lane', () => {
  it('lets go of what is done, also when somebody still holds it', () => {
    const lane = new KeyLane('a', { partition: 0, startable: true, isGone: false, park: () => undefined });
    const deliveries = [0, 1, 2].map((n) => new Delivery(recordOf(n, 'a'), lane, 0, false));
    for (const delivery of deliveries) lane.append(delivery);
    expect(lane.advance()).toBe(true);
    expect(deliveries[0]?.behind).toBeUndefined();
    expect(lane.head).toBe(deliveries[1]);
    expect([lane.advance(), lane.advance()]).toEqual([true, false]);
  });
});

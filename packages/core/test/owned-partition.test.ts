import type { Delivery, KeyLane } from '../src/delivery.js';
import { EMPTY_JOURNAL, formatJournal } from '../src/journal.js';
import { type LaneHost, PartitionLane } from '../src/partition-lane.js';
import type { InboundRecord, SettledBatch } from '../src/transport.js';
import type { RunCounts } from '../src/unheard-runs.js';
import { HandPort, NO_JOURNALS } from './engine-harness.js';

const MAX_IN_FLIGHT = 2;
/** As far as handling may run ahead. */
const SPAN = 6;

class TalkativePort extends HandPort {
  readonly calls: string[] = [];
  /** What it was told with each batch of settlements. */
  readonly settledWith: string[] = [];

  override settled(batch: SettledBatch): void {
    super.settled(batch);
    this.settledWith.push(batch.journal);
  }

  override pause(): void {
    this.calls.push('pause');
  }

  override resume(): void {
    this.calls.push('resume');
  }
}

/** The engine's side of a lane, by hand. */
class Hand implements LaneHost {
  readonly opener = 'me';
  readonly maxAttempts = 4;
  readonly maxInFlight: number = MAX_IN_FLIGHT;
  readonly formerRuns: Map<number, RunCounts> = new Map();
  readonly said: string[] = [];
  readonly heads: Delivery[] = [];
  readonly readied: KeyLane[] = [];
  given: readonly Delivery[] = [];
  nowMs = 1_000;

  now(): number {
    return this.nowMs;
  }

  weightOf({ headers }: InboundRecord): number {
    return Number(headers.weight ?? 1);
  }

  ready(lane: KeyLane): void {
    this.readied.push(lane);
    if (lane.head) this.heads.push(lane.head);
  }

  abandoned(_lane: PartitionLane, deliveries: readonly Delivery[]): void {
    this.given = deliveries;
    this.said.push('abandoned');
  }

  delay(): Promise<void> {
    return Promise.resolve();
  }

  problem(_error: unknown, doing: string): void {
    this.said.push(doing);
  }

  readonly pump = (): void => void this.said.push('pump');
  readonly offered = (): void => void this.said.push('offered');
  readonly dirty = (): void => void this.said.push('dirty');
  readonly suspected = (): void => void this.said.push('suspected');
  readonly halted = (): void => void this.said.push('halted');
}

function laneOn(host: Hand): { lane: PartitionLane; port: TalkativePort } {
  const port = new TalkativePort();
  return { lane: new PartitionLane(0, port, host), port };
}

async function openLane(journals: ReadonlyMap<number, string> = NO_JOURNALS) {
  const host = new Hand();
  const { lane, port } = laneOn(host);
  await lane.open(journals);
  host.said.length = 0;
  return { host, lane, port };
}

function at(position: number, key: string, changes: Partial<InboundRecord> = {}): InboundRecord {
  const base = { value: null, headers: {}, timestampMs: 1, redelivered: false };
  return { ...base, key, position: String(position), ...changes };
}

const positions = (deliveries: readonly Delivery[]): string[] =>
  deliveries.map(({ record }) => record.position);
const range = (from: number, to: number): InboundRecord[] =>
  Array.from({ length: to - from }, (_, index) => at(from + index, `key-${from + index}`));

describe('admission', () => {
  it('takes the records in order, across what was delivered together, as credit allows', async () => {
    const { host, lane } = await openLane();
    lane.deliver([at(0, 'a'), at(1, 'b')]);
    lane.deliver([]);
    lane.deliver([at(2, 'c')]);
    expect(host.said).toEqual(['offered', 'offered']);
    expect(lane.waiting).toBe(3);
    expect([lane.admit(0), lane.admit(1), lane.admit(9), lane.admit(9)]).toEqual([0, 1, 2, 0]);
    expect(positions(host.heads)).toEqual(['0', '1', '2']);
    expect([lane.waiting, lane.unsettled, lane.excess]).toEqual([0, 3, 0]);
    expect(lane.oldestUnsettled?.record.position).toBe('0');
  });

  it('waits for the journal', async () => {
    const host = new Hand();
    const { lane } = laneOn(host);
    lane.deliver([at(0, 'a')]);
    expect(lane.startable).toBe(false);
    expect(lane.admit(9)).toBe(0);
    host.said.length = 0;
    await lane.open(NO_JOURNALS);
    expect(host.said).toEqual(['offered', 'pump']);
    expect([lane.startable, lane.admit(9)]).toEqual([true, 1]);
  });

  it('stays within its span of what is durable', async () => {
    const { host, lane } = await openLane();
    lane.deliver(range(0, SPAN + 3));
    expect([lane.admit(100), lane.admit(100)]).toEqual([SPAN, 0]);
    for (const head of host.heads.slice(0, 2)) lane.settle(head);
    expect([lane.undurable, lane.unsettled]).toEqual([2, SPAN - 2]);
    lane.tellSettled();
    expect([lane.undurable, lane.admit(100)]).toEqual([2, 0]);
    lane.flushInBackground();
    await new Promise(setImmediate);
    expect([lane.undurable, lane.admit(100)]).toEqual([0, 2]);
  });

  it('counts a large record for several', async () => {
    const { host, lane } = await openLane();
    lane.deliver([at(0, 'a', { headers: { weight: '3' } }), at(1, 'b'), at(2, 'c')]);
    expect(lane.waiting).toBe(5);
    expect([lane.admit(3), lane.waiting, lane.excess, lane.unsettled]).toEqual([1, 2, 2, 1]);
    const [large] = host.heads;
    if (large) lane.settle(large);
    expect([lane.excess, lane.unsettled]).toEqual([0, 0]);
  });

  it('knows what was delivered before', async () => {
    const former = { ...EMPTY_JOURNAL, failures: new Map([['1', 2]]), deaths: new Map([['1', 1]]) };
    const { host, lane } = await openLane(new Map([[0, formatJournal(former)]]));
    lane.deliver([at(0, 'a'), at(1, 'b'), at(2, 'c', { redelivered: true })]);
    lane.admit(9);
    expect(host.heads.map(({ redelivered, attemptsMade }) => [redelivered, attemptsMade])).toEqual([
      [false, 0],
      [true, 3],
      [true, 0],
    ]);
  });

  it('knows what ran here before the partition was lost, if nobody else had it', async () => {
    const mine = new Map([[0, formatJournal({ ...EMPTY_JOURNAL, opener: 'me' })]]);
    for (const [journals, runs] of [
      [mine, 2],
      [NO_JOURNALS, 0],
    ] as const) {
      const host = new Hand();
      host.formerRuns.set(0, new Map([['0', 2]]));
      const { lane } = laneOn(host);
      await lane.open(journals);
      lane.deliver([at(0, 'a')]);
      lane.admit(1);
      expect(host.heads[0]).toMatchObject({ unheardRuns: runs, redelivered: runs > 0 });
      expect(host.formerRuns.size).toBe(0);
    }
  });
});

describe('records without a key', () => {
  it('keep their order among each other', async () => {
    const { host, lane } = await openLane();
    lane.deliver([at(0, ''), at(1, '', { key: undefined }), at(2, '', { key: undefined })]);
    lane.admit(9);
    expect(positions(host.heads)).toEqual(['0']);
  });
});

describe('settling', () => {
  it('lets the next of the key run, and moves the watermark without a gap', async () => {
    const { host, lane, port } = await openLane();
    lane.deliver([at(0, 'a'), at(1, 'a'), at(2, 'b')]);
    lane.admit(9);
    const [a0, b2] = host.heads;
    if (!a0 || !b2) throw new Error('two keys should be ready');
    expect(positions(host.heads)).toEqual(['0', '2']);
    lane.settle(b2);
    lane.tellSettled();
    expect([port.settledPositions, port.watermark]).toEqual([['2'], undefined]);
    lane.settle(a0);
    expect(positions(host.heads)).toEqual(['0', '2', '1']);
    lane.tellSettled();
    lane.tellSettled();
    expect([port.settledPositions, port.watermark]).toEqual([['2', '0'], '0']);
    lane.settle(host.heads[2] as Delivery);
    lane.tellSettled();
    expect([port.settledPositions, port.watermark]).toEqual([['2', '0', '1'], '2']);
    expect(port.settledWith).toEqual(Array(3).fill('{"o":"me"}'));
    expect(lane.oldestUnsettled).toBeUndefined();
    expect(host.said.filter((what) => what === 'dirty')).toHaveLength(3);
  });

  it('forgets a key of which nothing is left, and how to abort what is done', async () => {
    const { host, lane } = await openLane();
    lane.deliver([at(0, 'a'), at(1, 'a')]);
    lane.admit(1);
    const [first] = host.heads;
    if (!first) throw new Error('the key should be ready');
    first.abort = () => undefined;
    lane.settle(first);
    expect(first.abort).toBeUndefined();
    lane.admit(1);
    expect(host.readied[1]).not.toBe(host.readied[0]);
  });

  it('is flushed once at a time, and again after a failure', async () => {
    const { host, lane, port } = await openLane();
    let flushes = 0;
    let failing = true;
    port.flushing = async () => {
      flushes += 1;
      if (failing) throw new Error('no');
    };
    lane.flushInBackground();
    expect(flushes).toBe(0);
    lane.deliver([at(0, 'a')]);
    lane.admit(1);
    lane.settle(host.heads[0] as Delivery);
    lane.tellSettled();
    host.said.length = 0;
    lane.flushInBackground();
    lane.flushInBackground();
    await new Promise(setImmediate);
    expect([flushes, lane.undurable]).toEqual([1, 1]);
    expect(host.said).toEqual(['make settlements of partition 0 durable', 'offered']);
    failing = false;
    lane.flushInBackground();
    await new Promise(setImmediate);
    expect([flushes, lane.undurable]).toEqual([2, 0]);
  });
});

const suspects = new Map([[0, formatJournal({ ...EMPTY_JOURNAL, opener: 'dead', anonymousDeaths: 1 })]]);

describe('after a crash', () => {
  it.each([
    ['was written after it', 1_500, false],
    ['was written before it', 1_000, true],
    ['was written just now', 2_000, false],
    ['says that it comes from the future', 2_001, true],
    ['has no time', undefined, true],
  ])('it is serial behind an event that %s: %s', async (_what, timestampMs, serial) => {
    const host = new Hand();
    const { lane } = laneOn(host);
    await lane.open(suspects);
    expect(host.said).toContain('suspected');
    host.nowMs = 2_000;
    lane.deliver([at(0, 'a', { timestampMs }), at(1, 'b', { timestampMs: 1 })]);
    expect(lane.serial).toBe(false);
    lane.admit(2);
    expect(lane.serial).toBe(true);
    expect(host.heads[0]?.redelivered).toBe(true);
    lane.settle(host.heads[0] as Delivery);
    lane.tellSettled();
    expect(lane.serial).toBe(serial);
    lane.halt();
    expect(lane.serial).toBe(false);
  });
});

describe('suspects of a crash', () => {
  it('are as many as may have been running', async () => {
    const { host, lane } = await openLane(suspects);
    lane.deliver(range(0, SPAN + 1));
    lane.admit(9);
    for (const head of [...host.heads]) {
      expect(lane.serial).toBe(true);
      lane.settle(head);
      lane.tellSettled();
    }
    lane.flushInBackground();
    await new Promise(setImmediate);
    expect([lane.admit(1), lane.serial]).toEqual([1, false]);
  });
});

describe('a partition that is lost', () => {
  it('tells what is settled, gives up the rest, and knows nothing more', async () => {
    const { host, lane, port } = await openLane();
    lane.deliver([at(0, 'a', { headers: { weight: '2' } }), at(1, 'a'), at(2, 'b'), at(3, 'c')]);
    lane.admit(4);
    lane.settle(host.heads[1] as Delivery);
    (host.heads[0] as Delivery).running = true;
    host.said.length = 0;
    lane.lost();
    lane.lost();
    expect(host.said).toEqual(['abandoned']);
    expect(positions(host.given)).toEqual(['0', '1']);
    expect(port.settledPositions).toEqual(['2']);
    expect([lane.unsettled, lane.excess, lane.waiting, lane.isLost, lane.isGone]).toEqual([
      0,
      0,
      0,
      true,
      true,
    ]);
    expect([...(host.formerRuns.get(0) ?? [])]).toEqual([
      ['2', 1],
      ['0', 1],
    ]);
    lane.deliver([at(4, 'd')]);
    lane.halt();
    lane.pausePort();
    lane.flushInBackground();
    expect([lane.waiting, lane.admit(9), port.calls]).toEqual([0, 0, []]);
    expect(host.said).toEqual(['abandoned']);
  });

  it('tells nothing of what is settled later, and asks for nothing when a flush is over', async () => {
    const { host, lane, port } = await openLane();
    let isFlushed = (): void => undefined;
    port.flushing = () =>
      new Promise((resolve) => {
        isFlushed = resolve;
      });
    lane.deliver([at(0, 'a'), at(1, 'b')]);
    lane.admit(2);
    lane.settle(host.heads[0] as Delivery);
    lane.tellSettled();
    lane.flushInBackground();
    lane.lost();
    lane.settle(host.heads[1] as Delivery);
    lane.tellSettled();
    host.said.length = 0;
    isFlushed();
    await new Promise(setImmediate);
    expect([port.settledPositions, host.said]).toEqual([['0'], []]);
  });

  it('cannot be resumed, nor its port', async () => {
    const { host, lane, port } = await openLane();
    await lane.handOver(0);
    lane.pausePort();
    lane.lost();
    await lane.resume();
    lane.resumePort();
    expect([lane.startable, port.calls, host.said]).toEqual([false, ['pause'], ['abandoned']]);
  });

  it('has nothing to hand over', async () => {
    const { lane, port } = await openLane();
    const saved = port.journals.length;
    lane.lost();
    await lane.handOver(0);
    expect([lane.isLost, port.journals.length]).toEqual([true, saved]);
  });

  it('keeps nothing aside', async () => {
    const { host, lane } = await openLane();
    lane.deliver([at(0, 'a')]);
    lane.admit(1);
    await lane.handOver(0);
    lane.park(host.readied[0] as KeyLane);
    await lane.resume();
    expect(host.readied).toHaveLength(2);
    expect(host.readied[1]).toBe(host.readied[0]);
    await lane.handOver(0);
    await lane.resume();
    expect(host.readied).toHaveLength(2);
  });
});

describe('a partition that stands still', () => {
  it('drops what waits, pauses its port for good, and says so once', async () => {
    const { host, lane, port } = await openLane();
    lane.deliver([at(0, 'a'), at(1, 'b')]);
    lane.admit(1);
    host.said.length = 0;
    lane.halt();
    lane.halt();
    lane.deliver([at(2, 'c')]);
    lane.resumePort();
    expect([lane.waiting, port.calls, host.said]).toEqual([0, ['pause'], ['halted']]);
    await lane.handOver(0);
    await lane.resume();
    expect(lane.startable).toBe(false);
  });
});

describe('the port', () => {
  it('is paused and resumed once', async () => {
    const { lane, port } = await openLane();
    lane.resumePort();
    lane.pausePort();
    lane.pausePort();
    lane.resumePort();
    lane.resumePort();
    expect(port.calls).toEqual(['pause', 'resume']);
  });

  it('makes the partition gone when it is not owned any more', async () => {
    const { lane, port } = await openLane();
    expect([lane.startable, lane.isGone]).toEqual([true, false]);
    port.isOwned = false;
    expect([lane.startable, lane.isGone, lane.isLost]).toEqual([false, true, false]);
  });
});

describe('a hand-over', () => {
  it('waits for what runs, and for nothing else', async () => {
    const { host, lane, port } = await openLane();
    let isTimeUp = (): void => undefined;
    host.delay = () =>
      new Promise((resolve) => {
        isTimeUp = resolve;
      });
    lane.busy = 2;
    let isOver = false;
    const over = lane.handOver(1_000).then(() => {
      isOver = true;
    });
    lane.workEnded();
    await new Promise(setImmediate);
    expect([isOver, lane.startable]).toEqual([false, false]);
    lane.workEnded();
    await over;
    expect(port.journals.at(-1)).toBe('{}');
    isTimeUp();
    await lane.handOver(1_000);
    expect(host.said).toEqual([]);
  });

  it('says what it could not save', async () => {
    const { host, lane, port } = await openLane();
    port.saving = () => Promise.reject(new Error('no'));
    await lane.handOver(0);
    expect(host.said).toEqual(['hand over partition 0']);
  });

  it('makes an opening void that is not through, also when the partition is resumed', async () => {
    const host = new Hand();
    const { lane, port } = laneOn(host);
    const saves: (() => void)[] = [];
    port.saving = () => new Promise((resolve) => saves.push(resolve));
    void lane.open(NO_JOURNALS);
    void lane.handOver(0);
    void lane.resume();
    saves.shift()?.();
    await new Promise(setImmediate);
    expect(lane.startable).toBe(false);
    saves.shift()?.();
    await new Promise(setImmediate);
    expect(lane.startable).toBe(true);
  });

  it('is nothing for a partition that was not opened, and a second opening is nothing', async () => {
    const { lane, port } = laneOn(new Hand());
    await lane.handOver(0);
    expect(port.journals).toEqual([]);
    await lane.open(NO_JOURNALS);
    await lane.open(NO_JOURNALS);
    expect(port.journals).toEqual(['{"o":"me"}']);
  });
});

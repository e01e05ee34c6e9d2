import { Accumulator, type AccumulatorOptions } from '../src/accumulator.js';
import { jsonCodec } from '../src/codec.js';
import { type PreparedRecord, prepareRecord } from '../src/envelope.js';
import { BusError, PublishError } from '../src/errors.js';
import { partitionOf } from '../src/partition.js';
import { StatsCollector } from '../src/stats.js';
import { TimerQueue } from '../src/timers.js';
import type { OutboundRecord, SendResult, TransportLimits } from '../src/transport.js';
import { numbered } from './memory-buses.js';
import { Life, SimulatedTime, START_MS } from './simulation/time.js';

const PARTITIONS = 7;
const ROOMY: TransportLimits = {
  maxRecordBytes: 1e9,
  maxRecordsPerPartition: 1e9,
  maxBytesPerPartition: 1e9,
};
const DONE: SendResult = { failures: [] };

const record = (key: string, n: number): PreparedRecord =>
  prepareRecord(numbered(key, n), { codec: jsonCodec, headers: 'minimal', maxEventBytes: 1e6 });
const named = ({ record: { key = '', event } }: { record: PreparedRecord }): string =>
  `${key}${event.aggregateVersion}`;
const broken = (): BusError => new BusError('CONNECTION_LOST', 'gone');
const refused = (): BusError => new BusError('AUTHORIZATION', 'no');

/** An accumulator on a time of its own, whose sends are answered by hand. */
class Bench {
  readonly time = new SimulatedTime();
  readonly stats = new StatsCollector();
  /** Every send: when, and what was in it. */
  readonly sends: (readonly [atMs: number, ...names: string[]])[] = [];
  readonly partitions: number[] = [];
  connects = 0;
  answer: (records: readonly OutboundRecord[]) => Promise<SendResult> = async () => DONE;
  readonly accumulator: Accumulator;

  constructor(options: Partial<AccumulatorOptions> = {}, limits: Partial<TransportLimits> = {}) {
    const clock = this.time.clockOf(new Life());
    const send = (records: readonly OutboundRecord[]): Promise<SendResult> => {
      this.sends.push([this.time.nowMs, ...records.map((each) => named({ record: each as PreparedRecord }))]);
      this.partitions.push(...records.map(({ partition }) => partition));
      return this.answer(records);
    };
    this.accumulator = new Accumulator(
      { send, partitions: PARTITIONS, limits: { ...ROOMY, ...limits } },
      { lingerMs: 0, timeoutMs: 1_000, maxBufferedBytes: 1e9, ...options },
      this.stats,
      clock,
      new TimerQueue(clock),
      () => 0.5,
      () => {
        this.connects += 1;
      },
    );
  }

  /** What became of the call, once it is known. */
  add(...records: readonly PreparedRecord[]): { outcome: unknown } {
    const call: { outcome: unknown } = { outcome: undefined };
    this.accumulator.add(records).then(
      () => {
        call.outcome = 'confirmed';
      },
      (error: unknown) => {
        call.outcome = error;
      },
    );
    return call;
  }

  async passUntil(untilMs: number): Promise<void> {
    while (await this.time.step(untilMs)) {
      // All that is due.
    }
    this.time.nowMs = untilMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a batch', () => {
  it('takes what was published in the same turn, in the order of the calls', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    const calls = [bench.add(record('a', 1), record('b', 1)), bench.add(record('a', 2))];
    expect(bench.stats.pendingPublishes).toBe(3);
    await bench.passUntil(0);
    expect(bench.sends).toEqual([[0, 'a1', 'b1', 'a2']]);
    expect(bench.partitions).toEqual(['a', 'b', 'a'].map((key) => partitionOf(key, PARTITIONS)));
    expect(calls.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed']);
    expect(bench.stats).toMatchObject({ pendingPublishes: 0, eventsPublished: 3, lastPublishAtMs: START_MS });
  });

  it('goes to the partition of an empty key without a key', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    bench.add({ ...record('a', 1), key: undefined });
    await bench.passUntil(0);
    expect(bench.partitions).toEqual([partitionOf('', PARTITIONS)]);
  });

  it('waits lingerMs for company', async () => {
    const bench = new Bench({ lingerMs: 5 });
    bench.accumulator.start();
    await bench.passUntil(2);
    bench.add(record('a', 1));
    await bench.passUntil(4);
    bench.add(record('a', 2));
    await bench.passUntil(20);
    expect(bench.sends).toEqual([[7, 'a1', 'a2']]);
  });

  it('gathers while the one before it travels', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    bench.answer = async () => {
      await bench.time.delay(10);
      return DONE;
    };
    bench.add(record('a', 1));
    await bench.passUntil(1);
    bench.add(record('a', 2));
    bench.add(record('a', 3));
    await bench.passUntil(50);
    expect(bench.sends).toEqual([
      [0, 'a1'],
      [10, 'a2', 'a3'],
    ]);
  });

  it('holds as many records of a partition as the transport takes, and nothing overtakes the next', async () => {
    const bench = new Bench({}, { maxRecordsPerPartition: 2 });
    bench.accumulator.start();
    bench.add(record('a', 1), record('a', 2), record('a', 3), record('b', 1));
    await bench.passUntil(0);
    expect(bench.sends).toEqual([
      [0, 'a1', 'a2'],
      [0, 'a3', 'b1'],
    ]);
  });

  it('holds as many bytes of a partition as the transport takes, but one record at least', async () => {
    const records = [1, 2, 3].map((n) => record('a', n));
    const bytes = records[0]?.bytes ?? 0;
    const exact = new Bench({}, { maxBytesPerPartition: 2 * bytes });
    const small = new Bench({}, { maxBytesPerPartition: bytes - 1 });
    for (const bench of [exact, small]) {
      bench.accumulator.start();
      bench.add(...records);
      await bench.passUntil(0);
    }
    expect(exact.sends.map(([, ...names]) => names)).toEqual([['a1', 'a2'], ['a3']]);
    expect(small.sends.map(([, ...names]) => names)).toEqual([['a1'], ['a2'], ['a3']]);
  });
});

describe('the buffer', () => {
  it('takes maxBufferedBytes, refuses more at once, and takes again what has room', async () => {
    const bytes = record('a', 1).bytes;
    const bench = new Bench({ maxBufferedBytes: 2 * bytes });
    bench.add(record('a', 1));
    bench.add(record('a', 2));
    const excess = bench.add(record('a', 3));
    await bench.passUntil(0);
    expect(excess.outcome).toMatchObject({ code: 'BACKPRESSURE' });
    expect(bench.stats.pendingPublishes).toBe(2);
    bench.accumulator.start();
    await bench.passUntil(0);
    const later = bench.add(record('a', 4));
    await bench.passUntil(0);
    expect(later.outcome).toBe('confirmed');
  });

  it('takes one call of any size when it is empty', async () => {
    const bench = new Bench({ maxBufferedBytes: 1 });
    bench.accumulator.start();
    const call = bench.add(record('a', 1), record('a', 2));
    await bench.passUntil(0);
    expect(call.outcome).toBe('confirmed');
  });
});

describe('before the transport is open', () => {
  it('asks for a connection, and sends nothing before it is there', async () => {
    const bench = new Bench();
    bench.add(record('a', 1));
    await bench.passUntil(10);
    expect([bench.connects, bench.sends]).toEqual([1, []]);
    bench.accumulator.start();
    bench.add(record('a', 2));
    await bench.passUntil(10);
    expect([bench.connects, bench.sends]).toEqual([1, [[10, 'a1', 'a2']]]);
  });

  it('fails what waits when it cannot be opened, and queues what comes later', async () => {
    const bench = new Bench();
    const call = bench.add(record('a', 1), record('a', 2));
    let idle = false;
    void bench.accumulator.idle().then(() => {
      idle = true;
    });
    bench.accumulator.fail(broken());
    await bench.passUntil(0);
    expect(call.outcome).toMatchObject({ code: 'CONNECTION_LOST', confirmed: 0 });
    expect(idle).toBe(true);
    const later = bench.add(record('a', 3));
    bench.accumulator.start();
    await bench.passUntil(0);
    expect([bench.connects, later.outcome]).toEqual([2, 'confirmed']);
  });
});

describe('what the broker did not take', () => {
  it('is sent again before what came later, with growing waits that begin anew after a success', async () => {
    const bench = new Bench({ timeoutMs: 60_000 });
    bench.accumulator.start();
    let failuresLeft = 3;
    bench.answer = async () => {
      failuresLeft -= 1;
      return failuresLeft < 0 ? DONE : { failures: [{ index: 0, error: broken() }] };
    };
    bench.add(record('a', 1), record('b', 1));
    await bench.passUntil(1);
    bench.add(record('a', 2));
    await bench.passUntil(5_000);
    failuresLeft = 1;
    bench.add(record('a', 3));
    await bench.passUntil(10_000);
    expect(bench.sends).toEqual([
      [0, 'a1', 'b1'],
      [50, 'a1', 'a2'],
      [150, 'a1'],
      [350, 'a1'],
      [5_000, 'a3'],
      [5_050, 'a3'],
    ]);
  });

  it('waits at most two seconds between two tries', async () => {
    const bench = new Bench({ timeoutMs: 60_000 });
    bench.accumulator.start();
    bench.answer = async () => ({ failures: [{ index: 0, error: broken() }] });
    bench.add(record('a', 1));
    await bench.passUntil(20_000);
    const [last, before] = bench.sends.map(([atMs]) => atMs).reverse();
    expect((last ?? 0) - (before ?? 0)).toBe(2_000);
  });

  it('is rejected with its place in the call, and what was taken counts as confirmed', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    bench.answer = async () => ({ failures: [{ index: 2, error: refused() }] });
    const [first, second] = [bench.add(record('a', 1)), bench.add(record('b', 1), record('c', 1))];
    await bench.passUntil(0);
    expect(first.outcome).toBe('confirmed');
    expect(second.outcome).toBeInstanceOf(PublishError);
    expect(second.outcome).toMatchObject({
      code: 'AUTHORIZATION',
      confirmed: 1,
      failures: [{ index: 1, error: { code: 'AUTHORIZATION' } }],
    });
    expect(bench.sends).toHaveLength(1);
    expect(bench.stats).toMatchObject({ eventsPublished: 2, pendingPublishes: 0, lastPublishAtMs: START_MS });
  });

  it('says nothing of a publish when all was refused', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    bench.answer = async () => ({ failures: [{ index: 0, error: refused() }] });
    bench.add(record('a', 1));
    await bench.passUntil(0);
    expect(bench.stats).toMatchObject({ eventsPublished: 0, lastPublishAtMs: 0 });
  });

  it('keeps its answer when the transport throws', async () => {
    const bench = new Bench();
    bench.accumulator.start();
    bench.answer = () => Promise.reject(new TypeError('a bug'));
    const call = bench.add(record('a', 1), record('a', 2));
    await bench.passUntil(2_000);
    expect(call.outcome).toMatchObject({ confirmed: 0, failures: [{ index: 0 }, { index: 1 }] });
    const [failure] = (call.outcome as PublishError).failures;
    expect(failure?.error.cause).toMatchObject({ message: 'Could not send events: a bug' });
  });

  it('fails with what the broker said, once its time is up', async () => {
    const bench = new Bench({ timeoutMs: 50 });
    bench.accumulator.start();
    bench.answer = async () => {
      await bench.time.delay(50);
      return { failures: [{ index: 0, error: broken() }] };
    };
    const call = bench.add(record('a', 1));
    await bench.passUntil(1_000);
    expect(call.outcome).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(bench.sends).toEqual([[0, 'a1']]);
  });

  it('fails with TIMEOUT when its time is up while it waits; what came later goes on', async () => {
    const bench = new Bench({ timeoutMs: 50 });
    bench.accumulator.start();
    const cause = broken();
    bench.answer = async () => ({ failures: [{ index: 0, error: cause }] });
    const early = bench.add(record('a', 1));
    await bench.passUntil(1);
    const late = bench.add(record('a', 2));
    bench.answer = async () => DONE;
    await bench.passUntil(1_000);
    expect(early.outcome).toMatchObject({ code: 'TIMEOUT', confirmed: 0, cause: { cause } });
    expect(late.outcome).toBe('confirmed');
    expect(bench.sends).toEqual([
      [0, 'a1'],
      [50, 'a2'],
    ]);
  });

  it('fails with TIMEOUT when nothing else waits, and then sends nothing', async () => {
    const bench = new Bench({ timeoutMs: 50 });
    bench.accumulator.start();
    bench.answer = async () => ({ failures: [{ index: 0, error: broken() }] });
    const call = bench.add(record('a', 1));
    await bench.passUntil(1_000);
    expect(call.outcome).toMatchObject({ code: 'TIMEOUT' });
    expect(bench.sends).toEqual([[0, 'a1']]);
  });

  it('does not blame an outage that is over', async () => {
    const bench = new Bench({ timeoutMs: 100 });
    bench.accumulator.start();
    bench.answer = async () => ({ failures: [{ index: 0, error: broken() }] });
    bench.add(record('a', 1));
    await bench.passUntil(1);
    bench.answer = async () => {
      await bench.time.delay(200);
      return DONE;
    };
    await bench.passUntil(60);
    const call = bench.add(record('a', 2));
    await bench.passUntil(1_000);
    expect(call.outcome).toMatchObject({ code: 'TIMEOUT' });
    expect((call.outcome as PublishError).failures[0]?.error.cause).toBeUndefined();
  });
});

describe('an end', () => {
  it('fails what is queued, what is under way and what comes later, and forgets a late answer', async () => {
    const bench = new Bench({}, { maxRecordsPerPartition: 1 });
    bench.accumulator.start();
    bench.answer = async () => {
      await bench.time.delay(10);
      return DONE;
    };
    const calls = [bench.add(record('a', 1)), bench.add(record('a', 2))];
    await bench.passUntil(5);
    const closed = new BusError('BUS_CLOSED', 'closed');
    let isIdle = false;
    void bench.accumulator.idle().then(() => {
      isIdle = true;
    });
    expect(bench.accumulator.abort(closed)).toBe(2);
    await bench.passUntil(9);
    expect(isIdle).toBe(false);
    await bench.passUntil(100);
    expect(calls.map(({ outcome }) => outcome)).toEqual([
      expect.objectContaining({ code: 'BUS_CLOSED' }),
      expect.objectContaining({ code: 'BUS_CLOSED' }),
    ]);
    const later = bench.add(record('a', 3));
    await bench.passUntil(200);
    expect(later.outcome).toBe(closed);
    expect(bench.sends).toEqual([[0, 'a1']]);
    expect(bench.stats).toMatchObject({ eventsPublished: 0, pendingPublishes: 0, lastPublishAtMs: 0 });
    expect([isIdle, bench.accumulator.abort(closed)]).toEqual([true, 0]);
  });

  it('is waited for until nothing is queued or under way', async () => {
    const bench = new Bench();
    let idle = 0;
    const wait = (): void =>
      void bench.accumulator.idle().then(() => {
        idle += 1;
      });
    wait();
    await bench.passUntil(0);
    expect(idle).toBe(1);
    bench.add(record('a', 1));
    wait();
    bench.accumulator.start();
    bench.answer = async () => {
      await bench.time.delay(10);
      return DONE;
    };
    await bench.passUntil(5);
    wait();
    expect(idle).toBe(1);
    await bench.passUntil(20);
    expect(idle).toBe(3);
  });
});

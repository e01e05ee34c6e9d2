import assert from 'node:assert/strict';

import { createEvent, type DomainEvent, type EventBus, NonRetryableError } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { pause } from '../poll.js';
import type { ConformanceCase } from '../registry.js';
import { quickRetries } from './support.js';
import { heapBytes, percentile, slopePerMinute } from './support-measures.js';

const WHOLE_MS = 300_000;
const SHORT_MS = 30_000;
const MINUTE_MS = 60_000;
const ROUND_MS = 100;
const BATCH = 40;
const KEYS = 100;
const FILLER = 'x'.repeat(620);
const HEAP_EVERY_MS = 5_000;
/** One in so many events fails once; one in so many is given up. */
const FAILS_ONE_IN = 50;
const GIVEN_UP_ONE_IN = 500;
const MEGABYTE = 1024 * 1024;
const MOST_HEAP_PER_MINUTE = MEGABYTE;
const MOST_DRIFT = 1.5;
/** Below it a drift is that of the machine. */
const LEAST_P99_MS = 20;
/** What a broker that trims in steps may keep beyond the bound. */
const KEPT_PART = 1.1;

/** LD04: nothing grows, and nothing slows down. */
export const soakCases: readonly ConformanceCase[] = [
  {
    id: 'LD04',
    title: 'soak: under steady load with failures everything arrives, and nothing is left behind',
    timeoutMs: WHOLE_MS + 120_000,
    async run(t) {
      const forMs = t.long ? WHOLE_MS : SHORT_MS;
      const bounded = t.subject.boundedStream;
      const overrides = { ...quickRetries(2), ...bounded?.overrides };
      const counts = new Counts();
      const bus = await t.bus({ overrides });
      bus.subscribeToAllEvents((event, { attempt }) => counts.handle(event, attempt));
      await bus.startConsuming();
      const publisher = await t.bus({ overrides });
      const heap = await load(t, publisher, counts, forMs);
      await t.until('everything to be handled', () => counts.open === 0, {
        withinMs: MINUTE_MS,
        everyMs: 50,
      });
      await t.untilQuiet(bus);
      t.note(counts.inWords(forMs, heap));
      counts.expectClean();
      assert.equal(bus.stats.inFlight + publisher.stats.pendingPublishes, 0);
      assert.equal(await bus.deadLetters.count(), counts.givenUp);
      await expectBounded(t, bounded?.maxRecords);
      if (t.long) counts.expectSteady(heap);
    },
  },
];

/** When the heap had how many bytes after a collection. */
type HeapSample = readonly [atMs: number, bytes: number];

/** Publishes at a steady pace, and looks at the heap now and then. */
async function load(
  t: CaseContext,
  publisher: EventBus,
  counts: Counts,
  forMs: number,
): Promise<readonly HeapSample[]> {
  const heap: HeapSample[] = [];
  const calls = new Set<Promise<void>>();
  const startedAtMs = monotonicMs();
  counts.begin(startedAtMs, forMs);
  for (let round = 0; round * ROUND_MS < forMs; round += 1) {
    const call = publisher.publish(counts.next());
    calls.add(call);
    call.then(
      () => calls.delete(call),
      () => {},
    );
    if ((round * ROUND_MS) % HEAP_EVERY_MS === 0) heap.push([monotonicMs() - startedAtMs, heapBytes()]);
    await pause(Math.max(0, startedAtMs + (round + 1) * ROUND_MS - monotonicMs()));
  }
  await Promise.all(calls);
  heap.push([monotonicMs() - startedAtMs, heapBytes()]);
  t.onCleanup(() => calls.clear());
  return heap;
}

/** Counts, and no record of each event: what grows in this process must not be the test. */
class Counts {
  readonly #published = new Array<number>(KEYS).fill(0);
  readonly #handled = new Array<number>(KEYS).fill(0);
  readonly #anomalies: string[] = [];
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  #startedAtMs = 0;
  #windowMs = 0;
  #forMs = 0;
  #total = 0;
  givenUp = 0;

  /** Published and not settled. */
  get open(): number {
    return this.#total - this.#handled.reduce((sum, count) => sum + count, 0);
  }

  begin(startedAtMs: number, forMs: number): void {
    this.#startedAtMs = startedAtMs;
    this.#forMs = forMs;
    this.#windowMs = Math.min(MINUTE_MS, forMs / 2);
  }

  /** The next events to be published. */
  next(): DomainEvent[] {
    return Array.from({ length: BATCH }, () => {
      const key = this.#total % KEYS;
      this.#total += 1;
      const sequence = (this.#published[key] ?? 0) + 1;
      this.#published[key] = sequence;
      return createEvent({
        eventType: 'Soaked',
        aggregateId: `key-${key}`,
        aggregateType: 'Counter',
        aggregateVersion: sequence,
        data: { key, n: this.#total, atMs: monotonicMs(), filler: FILLER },
      });
    });
  }

  handle({ data, aggregateVersion }: DomainEvent, attempt: number): void {
    const { key, n, atMs } = data as { readonly key: number; readonly n: number; readonly atMs: number };
    const due = (this.#handled[key] ?? 0) + 1;
    if (aggregateVersion !== due) this.#anomalies.push(`key-${key}#${aggregateVersion} instead of #${due}`);
    if (attempt === 1) this.#measure(atMs);
    if (n % GIVEN_UP_ONE_IN === 0) {
      this.givenUp += 1;
      this.#handled[key] = due;
      throw new NonRetryableError('given up on purpose');
    }
    if (n % FAILS_ONE_IN === 0 && attempt === 1) throw new Error('fails once on purpose');
    this.#handled[key] = due;
  }

  /** Lost, twice or out of order: a key's events come one by one. */
  expectClean(): void {
    assert.deepEqual(this.#anomalies.slice(0, 20), []);
    assert.deepEqual(this.#handled, this.#published);
  }

  expectSteady(heap: readonly HeapSample[]): void {
    const first = percentile(this.#first, 0.99);
    const last = percentile(this.#last, 0.99);
    const allowed = MOST_DRIFT * Math.max(first, LEAST_P99_MS);
    assert.ok(last <= allowed, `p99 went from ${first.toFixed(1)} to ${last.toFixed(1)} ms`);
    const slope = slopePerMinute(warm(heap));
    assert.ok(
      slope < MOST_HEAP_PER_MINUTE,
      `the heap grew by ${(slope / MEGABYTE).toFixed(2)} MB in a minute`,
    );
  }

  inWords(forMs: number, heap: readonly HeapSample[]): string {
    const p99 = [this.#first, this.#last].map((values) => percentile(values, 0.99).toFixed(1));
    const slope = (slopePerMinute(warm(heap)) / MEGABYTE).toFixed(2);
    return `${forMs / 1_000} s, ${this.#total} events: p99 ${p99[0]} ms at first and ${p99[1]} ms at last, heap ${slope} MB a minute`;
  }

  #measure(publishedAtMs: number): void {
    const sinceStartMs = publishedAtMs - this.#startedAtMs;
    const tookMs = monotonicMs() - publishedAtMs;
    if (sinceStartMs < this.#windowMs) this.#first.push(tookMs);
    else if (sinceStartMs >= this.#forMs - this.#windowMs) this.#last.push(tookMs);
  }
}

/** Without the start, in which code is compiled and buffers find their size. */
function warm(heap: readonly HeapSample[]): readonly HeapSample[] {
  return heap.slice(Math.floor(heap.length / 5));
}

async function expectBounded(t: CaseContext, maxRecords: number | undefined): Promise<void> {
  const { inspect } = t.subject;
  await t.until('nothing to be left on the broker', async () => {
    const left = (await inspect?.backlog?.(t.namespace, 'group')) ?? 0;
    if (left > 0) throw new Error(`${left} events are left`);
    return true;
  });
  if (maxRecords === undefined || !inspect?.readRaw) return;
  const most = KEPT_PART * maxRecords;
  await t.until(
    `at most ${most} records to be kept`,
    async () => {
      const kept = (await inspect.readRaw?.(t.namespace))?.length ?? 0;
      if (kept > most) throw new Error(`${kept} are kept`);
      return true;
    },
    { everyMs: 200 },
  );
}

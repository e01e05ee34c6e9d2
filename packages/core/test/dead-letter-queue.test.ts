import { jsonCodec } from '../src/codec.js';
import { createDeadLetterQueue } from '../src/dead-letter-queue.js';
import { deadLetterRecord, headerText, targetGroup } from '../src/envelope.js';
import { BusError, ConfigurationError } from '../src/errors.js';
import { createEvent } from '../src/event.js';
import type { DeadLetter, DeadLetterFilter, DeadLetterQueue, DeadLetterReason } from '../src/event-bus.js';
import type { DeadLetterStore, InboundRecord, OutboundRecord, StoredDeadLetter } from '../src/transport.js';

/** A store that keeps dead letters in an array, and what was replayed from it. */
class ArrayStore implements DeadLetterStore {
  letters: StoredDeadLetter[] = [];
  readonly replayed: { readonly id: string; readonly group: string; readonly record: OutboundRecord }[] = [];
  readonly pageSizes: number[] = [];
  pagesRead = 0;
  failAt: string | undefined;

  async *read(query: {
    group: string | undefined;
    after: string | undefined;
    pageSize: number;
  }): AsyncIterable<StoredDeadLetter[]> {
    this.pageSizes.push(query.pageSize);
    const { after } = query;
    const rest = this.letters.filter(({ id }) => after === undefined || id > after);
    for (let from = 0; from < rest.length; from += query.pageSize) {
      this.pagesRead++;
      yield rest.slice(from, from + query.pageSize);
    }
  }

  async replay(letter: StoredDeadLetter, group: string, record: OutboundRecord): Promise<boolean> {
    if (letter.id === this.failAt) throw new BusError('CONNECTION_LOST', 'the broker is gone');
    if (!this.#drop(letter)) return false;
    this.replayed.push({ id: letter.id, group, record });
    return true;
  }

  async remove(letters: readonly StoredDeadLetter[]): Promise<number> {
    return letters.filter((letter) => this.#drop(letter)).length;
  }

  #drop({ id }: StoredDeadLetter): boolean {
    const before = this.letters.length;
    this.letters = this.letters.filter((letter) => letter.id !== id);
    return this.letters.length < before;
  }
}

interface Given {
  readonly group?: string;
  readonly type?: string;
  readonly aggregate?: string;
  readonly reason?: DeadLetterReason;
  readonly at?: string;
  readonly replays?: number;
  readonly raw?: string;
}

let store: ArrayStore;
let queue: DeadLetterQueue;

beforeEach(() => {
  store = new ArrayStore();
  queue = createDeadLetterQueue({
    store: async () => store,
    group: 'billing',
    maxReplays: 3,
    codec: jsonCodec,
    maxEventBytes: 1_000_000,
    partitions: () => 8,
  });
});

/** Puts a dead letter into the store; ids count up from 0001. */
function put(given: Given = {}): string {
  const id = String(store.letters.length + 1).padStart(4, '0');
  const event = createEvent({
    eventId: `event-${id}`,
    eventType: given.type ?? 'OrderPlaced',
    aggregateId: given.aggregate ?? `order-${id}`,
    aggregateType: 'Order',
    data: {},
  });
  const source: InboundRecord = {
    key: event.aggregateId,
    value: given.raw === undefined ? jsonCodec.encode(event) : Buffer.from(given.raw),
    headers: { traceparent: 'kept', ...(given.replays ? { dlq_replay_count: String(given.replays) } : {}) },
    position: id,
    timestampMs: 1,
    redelivered: false,
  };
  const record = deadLetterRecord({
    source,
    destination: 'orders.stream',
    partition: 1,
    group: given.group ?? 'billing',
    reason: given.reason ?? 'max-retries',
    error: new Error('no'),
    attempts: 3,
    nowMs: Date.parse(given.at ?? '2026-01-01T00:00:00Z'),
    includeStack: false,
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
  });
  store.letters.push({ id, record: { ...source, headers: record.headers } });
  return id;
}

const putMany = (count: number): string[] => Array.from({ length: count }, () => put());

async function ids(letters: AsyncIterable<DeadLetter>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id } of letters) seen.push(id);
  return seen;
}

async function first(filter: DeadLetterFilter = {}): Promise<DeadLetter> {
  for await (const letter of queue.list(filter)) return letter;
  throw new Error('there are no dead letters');
}

describe('list and count', () => {
  it('gives all of the group, oldest first, whatever the pages, and takes nothing away', async () => {
    const all = putMany(250);
    expect(await ids(queue.list())).toEqual(all);
    expect(await queue.count()).toBe(250);
    expect(store.letters).toHaveLength(250);
    expect(Math.max(...store.pageSizes)).toBeLessThanOrEqual(100);
  });

  it('goes on behind the last one seen, without gaps or repeats', async () => {
    const all = putMany(25);
    const seen: string[] = [];
    for (;;) {
      const after = seen.at(-1);
      const page = await ids(queue.list({ limit: 10, ...(after === undefined ? {} : { after }) }));
      if (page.length === 0) break;
      seen.push(...page);
    }
    expect(seen).toEqual(all);
  });

  it('reads no page more than is asked for', async () => {
    putMany(50);
    expect(await ids(queue.list({ limit: 10 }))).toHaveLength(10);
    expect(store.pagesRead).toBe(1);
    expect(store.pageSizes).toEqual([10]);
  });

  it('shows the own group unless another or all are asked for', async () => {
    const own = put();
    const other = put({ group: 'mail' });
    expect(await ids(queue.list())).toEqual([own]);
    expect(await ids(queue.list({ group: 'mail' }))).toEqual([other]);
    expect(await ids(queue.list({ group: '*' }))).toEqual([own, other]);
  });

  it.each<[string, Given, DeadLetterFilter]>([
    ['type', { type: 'OrderPaid' }, { eventType: 'OrderPaid' }],
    ['aggregate', { aggregate: 'a' }, { aggregateId: 'a' }],
    ['reason', { reason: 'non-retryable' }, { reason: 'non-retryable' }],
    ['age, exclusive', { at: '2025-12-31T23:59:59.999Z' }, { before: new Date('2026-01-01T00:00:00Z') }],
    ['recency, inclusive', { at: '2026-01-01T00:00:01Z' }, { since: new Date('2026-01-01T00:00:01Z') }],
  ])('filters by %s', async (_, given, filter) => {
    put();
    const wanted = put(given);
    expect(await ids(queue.list(filter))).toEqual([wanted]);
    expect(await queue.count(filter)).toBe(1);
  });

  it('wants all conditions to hold', async () => {
    put({ type: 'OrderPaid' });
    put({ reason: 'crash' });
    const both = put({ type: 'OrderPaid', reason: 'crash' });
    expect(await ids(queue.list({ eventType: 'OrderPaid', reason: 'crash' }))).toEqual([both]);
    expect(await ids(queue.list({ ids: [] }))).toEqual([]);
  });

  it('shows letters whose bytes make no sense', async () => {
    put({ raw: 'not JSON', reason: 'deserialization' });
    const letter = await first();
    expect(letter).toMatchObject({ reason: 'deserialization' });
    expect(Buffer.from(letter.raw).toString()).toBe('not JSON');
  });

  it('takes letters that name no group for its own', async () => {
    put({ group: '' });
    expect(await first()).toMatchObject({ group: 'billing' });
    await queue.replay({});
    expect(store.replayed.map(({ group }) => group)).toEqual(['billing']);
  });
});

describe('a filter that is not understood', () => {
  it.each<[string, object, string]>([
    ['a misspelt name', { eventTyp: 'OrderPlaced' }, 'filter.eventTyp: unknown; did you mean eventType?'],
    ['a name of another place', { colour: 'red' }, 'filter.colour: unknown'],
    ['an undefined condition', { eventType: undefined }, 'filter.eventType: must be a string'],
    ['an invalid date', { before: new Date('never') }, 'filter.before: must be a valid Date'],
    ['ids that are no list', { ids: '0001' }, 'filter.ids: must be an array of strings'],
  ])('purges and replays nothing: %s', async (_, filter, message) => {
    put();
    for (const call of [
      queue.purge(filter),
      queue.replay(filter),
      queue.count(filter),
      ids(queue.list(filter)),
    ]) {
      const error = await call.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as ConfigurationError).message).toContain(message);
    }
    expect(store.letters).toHaveLength(1);
  });

  it('lists nothing for a limit that is no number of letters', async () => {
    await expect(ids(queue.list({ limit: 0 }))).rejects.toThrow(
      'filter.limit: must be an integer of 1 or more',
    );
  });
});

describe('replay', () => {
  it('gives events back to the group that failed, with the headers they came with', async () => {
    put();
    put({ group: 'mail' });
    expect(await queue.replay({ group: '*' })).toBe(2);
    expect(store.replayed.map(({ group }) => group).sort()).toEqual(['billing', 'mail']);
    const { record } = store.replayed.find(({ group }) => group === 'mail') ?? {};
    expect(targetGroup(record?.headers ?? {})).toBe('mail');
    expect(headerText(record?.headers ?? {}, 'traceparent')).toBe('kept');
    expect(record?.event).toMatchObject({ eventType: 'OrderPlaced', aggregateType: 'Order' });
    expect(store.letters).toHaveLength(0);
  });

  it('replays one, without searching when it came out of a list', async () => {
    putMany(250);
    const letter = await first();
    store.pagesRead = 0;
    expect(await queue.replay(letter)).toBe(1);
    expect(store.pagesRead).toBe(0);
    expect(store.replayed.map(({ id }) => id)).toEqual([letter.id]);
  });

  it('finds a letter that came from elsewhere, and stops reading there', async () => {
    putMany(350);
    const copy = { ...(await first({ ids: ['0150'] })) };
    store.pagesRead = 0;
    expect(await queue.replay(copy)).toBe(1);
    expect(store.pagesRead).toBe(2);
    expect(store.replayed.map(({ id }) => id)).toEqual(['0150']);
  });

  it('keeps the order of each key', async () => {
    for (let n = 0; n < 60; n++) put({ aggregate: `order-${n % 3}` });
    await queue.replay({});
    for (const key of ['order-0', 'order-1', 'order-2']) {
      const order = store.replayed.filter(({ record }) => record.key === key).map(({ id }) => id);
      expect(order).toHaveLength(20);
      expect(order).toEqual([...order].sort());
    }
  });

  it('refuses what was replayed too often, says which, and replays the others', async () => {
    const good = put();
    const worn = put({ replays: 3 });
    const alsoGood = put({ replays: 2 });
    const error = await queue.replay({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'MAX_REPLAYS', retryable: false });
    expect((error as Error).message).toContain(worn);
    expect((error as Error).message).toContain('2 others were');
    expect(store.replayed.map(({ id }) => id).sort()).toEqual([good, alsoGood]);
    expect(store.letters.map(({ id }) => id)).toEqual([worn]);
  });

  it('replays it all the same when forced, and goes on counting', async () => {
    put({ replays: 3 });
    expect(await queue.replay({}, { force: true })).toBe(1);
    expect(headerText(store.replayed[0]?.record.headers ?? {}, 'dlq_replay_count')).toBe('4');
  });

  it('lets two admins replay the same letters: each is replayed once and counted once', async () => {
    putMany(40);
    const [one, other] = await Promise.all([queue.replay({}), queue.replay({})]);
    expect(one + other).toBe(40);
    expect(new Set(store.replayed.map(({ id }) => id)).size).toBe(40);
    expect(store.replayed).toHaveLength(40);
  });

  it('is 0 for a letter that is gone', async () => {
    put();
    const letter = await first();
    await queue.purge({});
    expect(await queue.replay(letter)).toBe(0);
  });

  it('says how far it came when the broker fails, and loses nothing', async () => {
    for (let n = 0; n < 5; n++) put({ aggregate: 'order-1' });
    store.failAt = '0003';
    const error = await queue.replay({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', retryable: true });
    expect((error as Error).message).toContain('stopped after 2 dead letters');
    expect(store.letters.map(({ id }) => id)).toEqual(['0003', '0004', '0005']);
    store.failAt = undefined;
    expect(await queue.replay({})).toBe(3);
  });
});

describe('purge', () => {
  it('removes what matches and nothing else, and returns how many', async () => {
    const kept = [put(), put({ group: 'mail', type: 'OrderPaid' })];
    put({ type: 'OrderPaid' });
    put({ type: 'OrderPaid' });
    expect(await queue.purge({ eventType: 'OrderPaid' })).toBe(2);
    expect(store.letters.map(({ id }) => id)).toEqual(kept);
    expect(store.replayed).toEqual([]);
  });

  it('removes one', async () => {
    putMany(3);
    expect(await queue.purge(await first())).toBe(1);
    expect(store.letters.map(({ id }) => id)).toEqual(['0002', '0003']);
  });

  it('empties many pages of many groups', async () => {
    for (let n = 0; n < 350; n++) put({ group: n % 2 === 0 ? 'billing' : 'mail' });
    expect(await queue.purge({ group: '*' })).toBe(350);
    expect(store.letters).toEqual([]);
  });
});

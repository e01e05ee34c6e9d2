import { gzipSync } from 'node:zlib';
import { ByteReader } from '../src/byte-reader.js';
import { committedRecords } from '../src/committed-records.js';
import { DecodeBudget } from '../src/decode-budget.js';
import type { FetchedPartition } from '../src/fetch-decoder.js';
import { decodeBatches, type RecordBatch } from '../src/record-batch.js';

interface Message {
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers: Record<string, string | Buffer | (string | Buffer)[]>;
  readonly timestampDelta: number;
  readonly offsetDelta: number;
}

// kafkajs encodes; what it makes of it must be read as it was written.
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  message: Message,
) => unknown;
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch(batch: object): Promise<{ readonly buffer: Buffer }>;
};

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function messages(next: () => number): Message[] {
  const size = (max: number): number => Math.floor(next() ** 4 * max);
  const bytes = (max: number): Buffer =>
    Buffer.from(Array.from({ length: size(max) }, () => Math.floor(next() * 256)));
  let offsetDelta = 0;
  return Array.from({ length: 1 + size(40) }, (_, i) => {
    offsetDelta += i === 0 ? 0 : 1 + size(300);
    return {
      key: next() < 0.2 ? null : (['k', 'ключ', '鍵', ''][Math.floor(next() * 4)] as string),
      value: next() < 0.1 ? null : bytes(3_000),
      headers: Object.fromEntries(
        Array.from({ length: size(6) }, (_x, n) => [
          `h${n}`,
          next() < 0.2 ? [bytes(9), bytes(9)] : bytes(200),
        ]),
      ),
      timestampDelta: Math.floor((next() - 0.3) * 10 ** Math.floor(next() * 10)),
      offsetDelta,
    };
  });
}

const MESSAGE: Message = { key: 'k', value: 'v', headers: {}, timestampDelta: 0, offsetDelta: 0 };

async function encoded(batch: readonly Message[], changes: object = {}): Promise<Buffer> {
  const last = batch[batch.length - 1]?.offsetDelta ?? 0;
  const { buffer } = await encodeBatch({
    records: batch.map(encodeRecord),
    firstOffset: '9007199254740000',
    firstTimestamp: 1_700_000_000_000,
    maxTimestamp: 1_700_000_009_000,
    lastOffsetDelta: last,
    ...changes,
  });
  return Buffer.from(buffer);
}

describe('reading batches of records', () => {
  test.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'whatever was written is read (seed %i)',
    async (seed) => {
      const next = random(seed + 7);
      const written = messages(next);
      const compression = seed % 3 === 0 ? 1 : 0;
      const bytes = await encoded(written, {
        compression,
        producerId: '12345',
        producerEpoch: 3,
        firstSequence: 9,
      });
      const [batch, ...more] = await decodeBatches(bytes);
      expect(more).toEqual([]);
      expect(batch).toMatchObject({
        producerId: '12345',
        transactional: false,
        marker: undefined,
        baseOffset: '9007199254740000',
      });
      expect(batch?.lastOffset).toBe(String(9007199254740000n + BigInt(written.at(-1)?.offsetDelta ?? 0)));
      expect(batch?.records).toHaveLength(written.length);
      written.forEach((message, i) => {
        const read = batch?.records[i];
        expect(read?.key).toBe(message.key === null ? undefined : message.key);
        expect(read?.value === null ? null : Buffer.from(read?.value ?? [])).toEqual(message.value);
        expect(read?.position).toBe(String(9007199254740000n + BigInt(message.offsetDelta)));
        expect(read?.timestampMs).toBe(1_700_000_000_000 + message.timestampDelta);
        expect(read?.headers).toEqual(message.headers);
      });
    },
  );

  test('offsets beyond what a number holds stay exact', async () => {
    const base = 9_223_372_036_854_775_000n;
    const bytes = await encoded([{ key: null, value: 'x', headers: {}, timestampDelta: 0, offsetDelta: 7 }], {
      firstOffset: String(base),
    });
    expect((await decodeBatches(bytes))[0]?.records[0]?.position).toBe('9223372036854775007');
  });

  test('several batches are read, and one that is cut off is not', async () => {
    const one = await encoded([{ key: 'a', value: 'one', headers: {}, timestampDelta: 0, offsetDelta: 0 }]);
    const both = Buffer.concat([one, one]);
    expect(await decodeBatches(both)).toHaveLength(2);
    for (const cut of [both.length - 1, one.length + 30, one.length + 5])
      expect(await decodeBatches(both.subarray(0, cut))).toHaveLength(1);
    expect(await decodeBatches(Buffer.alloc(0))).toEqual([]);
  });

  test('header names that mean something to every object are names like any other', async () => {
    const headers = Object.fromEntries([
      ['constructor', 'c'],
      ['__proto__', 'p'],
      ['toString', 't'],
    ]);
    const [batch] = await decodeBatches(
      await encoded([{ key: null, value: 'x', headers, timestampDelta: 0, offsetDelta: 0 }]),
    );
    const read = batch?.records[0]?.headers ?? {};
    expect(Object.keys(read).sort()).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toEqual(Buffer.from('p'));
  });

  test('a header has its own name, however much it looks like that of the record before', async () => {
    const names = [
      ['type', 'id'],
      ['type', 'id'],
      ['tope', 'id'],
      ['typ'],
      ['id', 'type'],
      ['', 'идент'],
      ['', 'идень'],
    ];
    const written = names.map((each, offsetDelta) => ({
      key: null,
      value: 'x',
      headers: Object.fromEntries(each.map((name) => [name, Buffer.from(name)])),
      timestampDelta: 0,
      offsetDelta,
    }));
    const [batch] = await decodeBatches(await encoded(written));
    expect(batch?.records.map(({ headers }) => headers)).toEqual(written.map(({ headers }) => headers));
  });

  test('a format of before Kafka 0.11 is named, not misread', async () => {
    const bytes = await encoded([{ key: null, value: 'x', headers: {}, timestampDelta: 0, offsetDelta: 0 }]);
    bytes[16] = 1;
    await expect(decodeBatches(bytes)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('a codec that is not there is named', async () => {
    const bytes = await encoded([{ key: null, value: 'x', headers: {}, timestampDelta: 0, offsetDelta: 0 }]);
    bytes.writeInt16BE(4, 21);
    await expect(decodeBatches(bytes)).rejects.toThrow(/ZSTD/);
  });
});

describe('numbers of variable length', () => {
  test.each([0, 1, -1, 63, -64, 64, 8191, -8192, 2 ** 31 - 1, -(2 ** 31), 2 ** 40 + 3, -(2 ** 45) - 1])(
    '%d',
    (value) => {
      const zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
      const bytes: number[] = [];
      let rest = zigzag;
      for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
      bytes.push(Number(rest));
      const reader = new ByteReader(Buffer.from(bytes));
      expect(reader.varint()).toBe(value);
      expect(reader.left).toBe(0);
    },
  );
});

describe('which records count', () => {
  const of = (base: number, count: number, changes: Partial<RecordBatch> = {}): RecordBatch => ({
    producerId: '1',
    transactional: false,
    marker: undefined,
    baseOffset: String(base),
    lastOffset: String(base + count - 1),
    records: Array.from({ length: changes.marker ? 0 : count }, (_, i) => ({
      key: undefined,
      value: null,
      headers: {},
      position: String(base + i),
      timestampMs: 0,
      redelivered: false,
    })),
    ...changes,
  });
  const fetched = (
    batches: readonly RecordBatch[],
    aborted: FetchedPartition['aborted'] = [],
  ): FetchedPartition => ({
    partition: 0,
    errorCode: 0,
    readableEnd: -1n,
    aborted,
    batches,
    unreadable: undefined,
  });
  const taken = (partition: FetchedPartition, from: string): [string[], string | undefined] => {
    const { records, next } = committedRecords(partition, from);
    return [records.map(({ position }) => position), next];
  };

  test('those from the offset on that was asked for', () => {
    expect(taken(fetched([of(10, 4)]), '12')).toEqual([['12', '13'], '14']);
    expect(taken(fetched([of(10, 2), of(12, 2)]), '10')).toEqual([['10', '11', '12', '13'], '14']);
    expect(taken(fetched([]), '10')).toEqual([[], undefined]);
  });

  test('not the markers of transactions, behind which the next fetch begins all the same', () => {
    expect(taken(fetched([of(0, 2, { transactional: true }), of(2, 1, { marker: 'commit' })]), '0')).toEqual([
      ['0', '1'],
      '3',
    ]);
    expect(taken(fetched([of(2, 1, { marker: 'commit' })]), '2')).toEqual([[], '3']);
  });

  test('not what an aborted transaction wrote, but what others wrote meanwhile, and what its producer wrote later', () => {
    const batches = [
      of(0, 1, { producerId: '7', transactional: true }),
      of(1, 1, { producerId: '8', transactional: true }),
      of(2, 1),
      of(3, 1, { producerId: '7', transactional: true }),
      of(4, 1, { producerId: '7', marker: 'abort' }),
      of(5, 1, { producerId: '7', transactional: true }),
      of(6, 1, { producerId: '8', marker: 'commit' }),
    ];
    expect(taken(fetched(batches, [{ producerId: '7', firstOffset: 0n }]), '0')).toEqual([
      ['1', '2', '5'],
      '7',
    ]);
  });

  test('records that were compacted away move the next fetch on', () => {
    expect(taken(fetched([of(5, 3, { records: [] })]), '5')).toEqual([[], '8']);
  });
});

describe('bytes that lie', () => {
  const plain = (): Promise<Buffer> =>
    encoded([
      { key: 'a', value: 'one', headers: { h: 'x' }, timestampDelta: 0, offsetDelta: 0 },
      { key: 'b', value: 'two', headers: {}, timestampDelta: 1, offsetDelta: 1 },
    ]);

  test.each([-12, -13, -1_000, -2_147_483_648, 0, 48])('a batch that is %i bytes long', async (length) => {
    const bytes = await plain();
    bytes.writeInt32BE(length, 8);
    await expect(decodeBatches(bytes)).rejects.toMatchObject({ code: 'BROKER' });
  });

  test.each([2_147_483_647, -1, 3])('%i records where there are two', async (count) => {
    const bytes = await plain();
    bytes.writeInt32BE(count, 57);
    await expect(decodeBatches(bytes)).rejects.toMatchObject({ code: 'BROKER' });
  });

  test('any byte may be any other: it is read, or refused with an error of the bus', async () => {
    const bytes = await plain();
    const next = random(42);
    let refused = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      for (let i = 0; i < 12; i += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = Math.floor(next() * 256);
        try {
          const batches = await decodeBatches(changed);
          expect(batches.length).toBeLessThanOrEqual(1);
        } catch (error) {
          refused += 1;
          expect(['BROKER', 'UNSUPPORTED']).toContain((error as { code?: string }).code);
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  test('a checksum that is wrong is found where it is looked at', async () => {
    const bytes = await plain();
    expect(await decodeBatches(bytes, { checkCrcs: true })).toHaveLength(1);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    await expect(decodeBatches(bytes, { checkCrcs: true })).rejects.toMatchObject({
      code: 'BROKER',
      message: expect.stringContaining('checksum'),
    });
  });

  test('what stands before an unreadable batch is handed out first', async () => {
    const [good, bad] = [await plain(), await plain()];
    bad.writeInt32BE(99, 57);
    expect(await decodeBatches(Buffer.concat([good, bad]))).toHaveLength(1);
  });

  test('a few bytes that unpack to gigabytes are one record that is unreadable, and the next batch is read', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1_048_576));
    const bytes = await plain();
    const header = Buffer.from(bytes.subarray(0, 61));
    header.writeInt16BE(1, 21);
    header.writeInt32BE(49 + bomb.length, 8);
    const batch = Buffer.concat([header, bomb]);
    const [first, second] = await decodeBatches(Buffer.concat([batch, bytes]));
    expect(first?.records).toMatchObject([
      { key: undefined, position: first?.lastOffset, unreadable: { code: 'PAYLOAD_TOO_LARGE' } },
    ]);
    expect(first?.records[0]?.value).toEqual(batch);
    expect(second?.records.length).toBeGreaterThan(0);
  });

  test('no more is decoded than the budget allows; the rest is fetched again', async () => {
    const batch = await encoded(Array.from({ length: 10 }, (_, n) => ({ ...MESSAGE, offsetDelta: 2 * n })));
    const base = 9_007_199_254_740_000n;
    const positions: string[] = [];
    let fetches = 0;
    for (let from = base; from <= base + 18n; fetches += 1) {
      const [read] = await decodeBatches(batch, {
        from,
        budget: new DecodeBudget(1_000_000, 4),
      });
      positions.push(...(read?.records.map(({ position }) => position) ?? []));
      from = BigInt(read?.lastOffset ?? 0) + 1n;
    }
    expect(positions).toEqual(Array.from({ length: 10 }, (_, n) => String(base + 2n * BigInt(n))));
    expect(fetches).toBe(3);
    expect(await decodeBatches(Buffer.concat([batch, batch]), { budget: new DecodeBudget(10) })).toHaveLength(
      1,
    );
  });

  test('a header that comes a hundred thousand times takes no longer than as many headers', async () => {
    const same = Array.from({ length: 100_000 }, () => 'x');
    const [read] = await decodeBatches(await encoded([{ ...MESSAGE, headers: { same } }]));
    expect(read?.records[0]?.headers.same).toHaveLength(100_000);
  });

  test('a marker that compaction emptied is no marker, and no stall', async () => {
    const bytes = await plain();
    const empty = Buffer.from(bytes.subarray(0, 61));
    empty.writeInt32BE(49, 8);
    empty.writeInt16BE(0x30, 21);
    empty.writeInt32BE(0, 57);
    expect(await decodeBatches(empty)).toMatchObject([{ marker: undefined, records: [] }]);
  });
});

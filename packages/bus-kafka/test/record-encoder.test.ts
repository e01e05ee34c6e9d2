import { ByteReader } from '../src/byte-reader.js';
import { ByteWriter, varintSize } from '../src/byte-writer.js';
import { crc32c } from '../src/crc32c.js';
import { decodeBatches } from '../src/record-batch.js';
import { expectedBytes, type WritableRecord, writeBatch } from '../src/record-encoder.js';

// What is written must be what kafkajs reads.
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => object;
const decodeWithKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: object,
) => Promise<{
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly records: readonly {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Record<string, unknown>;
    readonly timestamp: string;
    readonly offset: string;
  }[];
}>;
const crcOfKafkajs = require('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number;

const settings = { producerId: '4711', producerEpoch: 2, firstSequence: 77, compression: 0 };

function record(changes: Partial<WritableRecord> = {}): WritableRecord {
  return {
    partition: 0,
    key: 'k',
    value: Buffer.from('v'),
    headers: {},
    timestampMs: 1_700_000_000_000,
    ...changes,
  };
}

/** The batch without the length before it. */
async function written(
  records: readonly WritableRecord[],
  changes: Partial<typeof settings> = {},
): Promise<Buffer> {
  const out = new ByteWriter(16);
  await writeBatch(out, records, { ...settings, ...changes });
  expect(out.written.readInt32BE(0)).toBe(out.written.length - 4);
  return Buffer.from(out.written.subarray(4));
}

describe('writing batches of records', () => {
  test.each([0, 1])(
    'kafkajs and the reader of this package read what was written (compression %i)',
    async (compression) => {
      const records = [
        record({
          headers: {
            text: 'ä',
            bytes: new Uint8Array([0, 255]),
            list: ['a', Buffer.from([1])],
            missing: undefined,
          },
        }),
        record({ key: undefined, value: null, timestampMs: 1_600_000_000_000 }),
        record({ key: '鍵', value: Buffer.alloc(100_000, 7), timestampMs: 1_800_000_000_123 }),
        ...Array.from({ length: 300 }, (_, i) =>
          record({ key: `key ${i}`, value: Buffer.from(`value ${i}`), headers: { id: `${i}` } }),
        ),
      ];
      const bytes = await written(records, { compression });
      const read = await decodeWithKafkajs(new Decoder(bytes));
      expect(read).toMatchObject({ producerId: '4711', producerEpoch: 2, firstSequence: 77 });
      const [own] = await decodeBatches(bytes);
      expect(read.records).toHaveLength(records.length);
      records.forEach((source, i) => {
        const [theirs, ours] = [read.records[i], own?.records[i]];
        expect(theirs?.key?.toString()).toBe(source.key);
        expect(ours?.key).toBe(source.key);
        for (const value of [theirs?.value, ours?.value])
          expect(source.value === null ? value : value && Buffer.compare(source.value, value)).toBe(
            source.value === null ? null : 0,
          );
        expect([theirs?.timestamp, ours?.timestampMs]).toEqual([
          String(source.timestampMs),
          source.timestampMs,
        ]);
        expect([theirs?.offset, ours?.position]).toEqual([String(i), String(i)]);
      });
      const headers = {
        text: Buffer.from('ä'),
        bytes: Buffer.from([0, 255]),
        list: [Buffer.from('a'), Buffer.from([1])],
      };
      expect([read.records[0]?.headers, own?.records[0]?.headers]).toEqual([headers, headers]);
    },
  );

  test('the checksum is that of the content', async () => {
    const bytes = await written([record()]);
    expect(bytes.readUInt32BE(17)).toBe(crcOfKafkajs(bytes.subarray(21)));
  });

  test('the same records give the same bytes', async () => {
    const records = [record(), record({ key: undefined })];
    for (const compression of [0, 1])
      expect(await written(records, { compression })).toEqual(await written(records, { compression }));
  });

  test('the room that is expected is enough for usual records', () => {
    expect(expectedBytes([record({ value: Buffer.alloc(500) })])).toBeGreaterThan(600);
  });
});

describe('the checksum', () => {
  test.each([0, 1, 2, 3, 4, 5, 7, 8, 63, 1_000, 4_099])('of %i bytes', (length) => {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length) & 0xff));
    expect(crc32c(bytes)).toBe(crcOfKafkajs(bytes));
  });

  test('has the value that the standard gives for "123456789"', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

describe('numbers of variable length', () => {
  test.each([
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    8_191,
    8_192,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32 + 5,
    2 ** 45,
    -(2 ** 45) - 1,
  ])('%d is written in as many bytes as expected, and read again', (value) => {
    const out = new ByteWriter(1);
    out.varint(value);
    expect(out.written).toHaveLength(varintSize(value));
    expect(new ByteReader(Buffer.from(out.written)).varint()).toBe(value);
  });
});

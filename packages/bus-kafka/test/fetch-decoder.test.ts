import { ByteWriter } from '../src/byte-writer.js';
import { decodeFetch } from '../src/fetch-decoder.js';
import { isExhausted } from '../src/fetch-direct.js';

/** The answer to a fetch, in version 11 of the request. */
function answer(
  partitions: readonly { readonly readableEnd: bigint; readonly records: Buffer }[],
  errorCode = 0,
): Buffer {
  const out = new ByteWriter(256);
  out.int32(0);
  out.int16(errorCode);
  out.int32(0);
  out.int32(1);
  out.string('events.stream');
  out.int32(partitions.length);
  partitions.forEach(({ readableEnd, records }, partition) => {
    out.int32(partition);
    out.int16(0);
    out.int64(readableEnd);
    out.int64(readableEnd);
    out.int64(0n);
    out.int32(-1);
    out.int32(-1);
    out.int32(records.length);
    out.raw(records);
  });
  return out.written;
}

const NOTHING = Buffer.alloc(0);

describe('reading the answer to a fetch', () => {
  test('an error of the whole request is thrown, not taken for "nothing new"', async () => {
    await expect(decodeFetch(answer([], 29))).rejects.toMatchObject({ type: 'TOPIC_AUTHORIZATION_FAILED' });
  });

  test('bytes of one partition that cannot be read say nothing about the others', async () => {
    const [bad, good] = await decodeFetch(
      answer([
        { readableEnd: 9n, records: Buffer.alloc(80) },
        { readableEnd: 5n, records: NOTHING },
      ]),
    );
    expect(bad).toMatchObject({ batches: [], unreadable: { code: 'BROKER' } });
    expect(good).toMatchObject({ batches: [], unreadable: undefined, readableEnd: 5n });
  });

  test('no records means the end only where the broker says that it ends there', async () => {
    const [exhausted, behind, silent] = await decodeFetch(
      answer([10n, 9n, -1n].map((readableEnd) => ({ readableEnd, records: NOTHING }))),
    );
    expect(exhausted && isExhausted(exhausted, 10n)).toBe(true);
    expect(behind && isExhausted(behind, 10n)).toBe(false);
    expect(silent && isExhausted(silent, 10n)).toBe(false);
  });

  test.each([-2, 2_147_483_647])('%i partitions are none, or an error', async (count) => {
    const bytes = Buffer.from(answer([{ readableEnd: 1n, records: NOTHING }]));
    bytes.writeInt32BE(count, 10 + 4 + 2 + 'events.stream'.length);
    if (count < 0) expect(await decodeFetch(bytes)).toEqual([]);
    else await expect(decodeFetch(bytes)).rejects.toMatchObject({ name: 'RangeError' });
  });
});

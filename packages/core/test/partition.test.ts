import fc from 'fast-check';
import { Partitioners } from 'kafkajs';

import { murmur2, murmur2OfBytes, partitionOf } from '../src/partition.js';

// Latin-1 is apart: one byte in memory, two in UTF-8.
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});
const keyText = fc.oneof(
  fc.uuid(),
  fc.string({ maxLength: 60 }),
  latin1,
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

describe('murmur2', () => {
  // From the tests of Apache Kafka itself (UtilsTest.testMurmur2), and the empty key.
  it.each<[string, number]>([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
    ['', 275646681],
  ])('of %j is what Kafka computes', (key, hash) => {
    expect(murmur2(key)).toBe(hash);
    expect(murmur2OfBytes(Buffer.from(key))).toBe(hash);
  });

  it('of a text is that of its UTF-8 bytes', () => {
    fc.assert(
      fc.property(keyText, (key) => murmur2(key) === murmur2OfBytes(Buffer.from(key, 'utf8'))),
      { numRuns: 1000 },
    );
  });
});

describe('the partition of a key', () => {
  it('is the one that kafkajs chooses', () => {
    const kafkajs = Partitioners.DefaultPartitioner();
    const metadataOf = (count: number) =>
      Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        partitionErrorCode: 0,
        leader: 0,
        replicas: [],
        isr: [],
      }));
    fc.assert(
      fc.property(
        keyText.filter((key) => key !== ''),
        fc.integer({ min: 1, max: 300 }),
        (key, count) => {
          const theirs = kafkajs({
            topic: 't',
            partitionMetadata: metadataOf(count),
            message: { key, value: null },
          });
          expect(partitionOf(key, count)).toBe(theirs);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the one that the recorded publisher chose', () => {
    // The recording has 8 partitions; its dead letters name the original one.
    expect(partitionOf('00000000-0000-4000-8000-00000000000a', 8)).toBe(3);
  });
});

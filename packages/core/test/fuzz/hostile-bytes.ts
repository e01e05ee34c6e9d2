import type { Random } from '../random.js';

const PIECES = [
  [0xef, 0xbb, 0xbf],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xff],
  [0x00],
  [0xf4, 0x90, 0x80, 0x80],
  [0x22],
  [0x5c],
  [0x7b],
  [0x7d],
];

/** Bytes that went wrong on their way: flipped, cut, doubled, with something in between. */
export function hostileBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.upTo(bytes.length);
  switch (random.upTo(4)) {
    case 0: {
      const flipped = Uint8Array.from(bytes);
      for (let flips = 1 + random.upTo(4); flips > 0 && bytes.length > 0; flips -= 1) {
        const index = random.upTo(bytes.length - 1);
        flipped[index] = (flipped[index] as number) ^ (1 << random.upTo(7));
      }
      return flipped;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return bytes.subarray(at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(PIECES)), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.upTo(at))]);
  }
}

/** Any bytes. */
export function anyBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: random.upTo(most) }, () => random.upTo(255));
}

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * The partition of a key among `count`: what Kafka's own clients choose (murmur2 of the UTF-8 bytes, sign bit cleared,
 * modulo), on every broker, so that publishers in other languages agree.
 */
export function partitionOf(key: string, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}

/** Kafka's murmur2 of a text's UTF-8 bytes, as a signed 32-bit integer. */
export function murmur2(key: string): number {
  const length = key.length;
  const wordsEnd = length & ~3;
  let hash = SEED ^ length;
  let seen = 0;
  let index = 0;
  for (; index < wordsEnd; index += 4) {
    const a = key.charCodeAt(index);
    const b = key.charCodeAt(index + 1);
    const c = key.charCodeAt(index + 2);
    const d = key.charCodeAt(index + 3);
    seen |= a | b | c | d;
    hash = mix(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let shift = 0; index < length; index++, shift += 8) {
    const code = key.charCodeAt(index);
    seen |= code;
    tail |= code << shift;
  }
  // Beyond ASCII a character is more than one byte: only then are bytes worth allocating.
  if (seen > 0x7f) return murmur2OfBytes(Buffer.from(key, 'utf8'));
  return finish(length === wordsEnd ? hash : Math.imul(hash ^ tail, M));
}

/** Kafka's murmur2, as a signed 32-bit integer. */
export function murmur2OfBytes(bytes: Uint8Array): number {
  const length = bytes.length;
  const wordsEnd = length & ~3;
  let hash = SEED ^ length;
  let index = 0;
  for (; index < wordsEnd; index += 4)
    hash = mix(
      hash,
      byteAt(bytes, index) |
        (byteAt(bytes, index + 1) << 8) |
        (byteAt(bytes, index + 2) << 16) |
        (byteAt(bytes, index + 3) << 24),
    );
  let tail = 0;
  for (let shift = 0; index < length; index++, shift += 8) tail |= byteAt(bytes, index) << shift;
  return finish(length === wordsEnd ? hash : Math.imul(hash ^ tail, M));
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function mix(hash: number, word: number): number {
  const k = Math.imul(word, M);
  return Math.imul(hash, M) ^ Math.imul(k ^ (k >>> 24), M);
}

function finish(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 13), M);
  return h ^ (h >>> 15);
}

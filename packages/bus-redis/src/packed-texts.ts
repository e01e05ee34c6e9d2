import type { Argument } from './entry.js';

/** MessagePack: an array of up to 65,535 elements, and a text of up to 4 GiB; their sizes follow. */
const ARRAY_16 = 0xdc;
const TEXT_32 = 0xdb;
const HEADER_BYTES = 3;
const TEXT_HEADER_BYTES = 5;
/** Of a unit of a JavaScript string. */
const MAX_UTF8_BYTES = 3;

/**
 * Texts as one argument of a script, which gets them back with `cmsgpack.unpack`. As arguments of their own they cost three
 * times as much here: once one argument of a command is bytes, ioredis makes buffers of each of them.
 */
export function packTexts(texts: readonly Argument[]): Buffer {
  const packed = Buffer.allocUnsafe(texts.reduce<number>((sum, text) => sum + roomFor(text), HEADER_BYTES));
  packed[0] = ARRAY_16;
  packed.writeUInt16BE(texts.length, 1);
  let at = HEADER_BYTES;
  for (const text of texts) {
    const start = at + TEXT_HEADER_BYTES;
    const length = write(text, packed, start);
    packed[at] = TEXT_32;
    packed.writeUInt32BE(length, at + 1);
    at = start + length;
  }
  return packed.subarray(0, at);
}

function roomFor(text: Argument): number {
  if (typeof text === 'string') return TEXT_HEADER_BYTES + text.length * MAX_UTF8_BYTES;
  return TEXT_HEADER_BYTES + (typeof text === 'number' ? String(text).length : text.length);
}

function write(text: Argument, into: Buffer, at: number): number {
  return Buffer.isBuffer(text) ? text.copy(into, at) : into.write(String(text), at);
}

import type { Argument } from './entry.js';

/** MessagePack: an array, and a text; the number of elements or bytes follows in four bytes. */
const ARRAY = 0xdd;
const TEXT = 0xdb;
const HEADER_BYTES = 5;
/** Of a unit of a JavaScript string. */
const MAX_UTF8_BYTES = 3;
/** Up to this length writing the characters here costs less than having them written. */
const SHORT = 40;

/**
 * Lists of texts as one argument of a script, which gets them back with `cmsgpack.unpack`. As arguments of their own they
 * cost three times as much here: once one argument of a command is bytes, ioredis makes buffers of all of them.
 */
export function packTexts(lists: readonly (readonly Argument[])[]): Buffer {
  const packed = Buffer.allocUnsafe(lists.reduce((sum, list) => sum + roomFor(list), HEADER_BYTES));
  let at = writeHeader(packed, 0, ARRAY, lists.length);
  for (const list of lists) {
    at = writeHeader(packed, at, ARRAY, list.length);
    for (const text of list) at = writeText(packed, at, text);
  }
  return packed.subarray(0, at);
}

function roomFor(list: readonly Argument[]): number {
  let room = HEADER_BYTES;
  for (const text of list) {
    const length = typeof text === 'number' ? String(text).length : text.length;
    room += HEADER_BYTES + (typeof text === 'string' ? length * MAX_UTF8_BYTES : length);
  }
  return room;
}

/** Returns where the next byte goes. */
function writeHeader(into: Buffer, at: number, kind: number, size: number): number {
  into[at] = kind;
  into[at + 1] = size >>> 24;
  into[at + 2] = size >>> 16;
  into[at + 3] = size >>> 8;
  into[at + 4] = size;
  return at + HEADER_BYTES;
}

function writeText(into: Buffer, at: number, text: Argument): number {
  const start = at + HEADER_BYTES;
  const length = Buffer.isBuffer(text) ? text.copy(into, start) : writeString(into, start, String(text));
  return writeHeader(into, at, TEXT, length) + length;
}

function writeString(into: Buffer, at: number, text: string): number {
  if (text.length > SHORT) return into.write(text, at);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return into.write(text, at);
    into[at + i] = unit;
  }
  return text.length;
}

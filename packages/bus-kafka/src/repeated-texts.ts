import type { ByteReader } from './byte-reader.js';

/** A text with the bytes that it was read from. */
interface Known {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/**
 * Texts that come again and again at the same place, as the names of headers do: making a string of bytes costs several
 * times what it costs to see that they are those of the time before.
 */
export class RepeatedTexts {
  private readonly known: Known[] = [];

  /** The next `length` bytes as text. `place` tells which one of its kind it is: the first, the second. */
  read(reader: ByteReader, length: number, place: number): string {
    const before = this.known[place];
    if (before?.bytes.length === length && comes(reader, before.bytes)) {
      reader.skip(length);
      return before.text;
    }
    const start = reader.at;
    const text = reader.text(length);
    this.known[place] = { text, bytes: reader.bytes.subarray(start, reader.at) };
    return text;
  }
}

function comes({ bytes, at }: ByteReader, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i += 1) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

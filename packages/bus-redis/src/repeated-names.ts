/** A name with the bytes that it was read from. */
interface Known {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Beyond these an entry is nothing that a bus wrote, and nothing is remembered. */
const MAX_PLACES = 32;
const MAX_BYTES = 64;

/**
 * Names that come again and again at the same place, as those of the fields of entries do: making a string of bytes costs
 * several times what it costs to see that they are those of the time before.
 */
export class RepeatedNames {
  private readonly known: Known[] = [];

  /** The bytes as text. `place` tells which one of its kind it is: the first, the second. */
  read(bytes: Buffer, place: number): string {
    const before = this.known[place];
    if (before !== undefined && isSame(before.bytes, bytes)) return before.name;
    const name = bytes.toString();
    // A copy: the bytes themselves are a part of what came over the socket, and would keep the whole of it.
    if (place < MAX_PLACES && bytes.length <= MAX_BYTES)
      this.known[place] = { name, bytes: Buffer.from(bytes) };
    return name;
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** A varint of 64 bits has at most ten bytes. */
const MAX_VARINT_SCALE = 0x80 ** 9;

/**
 * Reads Kafka's primitive types from bytes, one after the other. Never reads beyond the end nor goes back: what would
 * make it do so throws a `RangeError`.
 */
export class ByteReader {
  private position = 0;

  constructor(readonly bytes: Buffer) {}

  get at(): number {
    return this.position;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  skip(bytes: number): void {
    this.position = this.endOf(bytes);
  }

  /** Goes on behind what began at `start` and is `length` long; what was read of it must not be more. */
  endAt(start: number, length: number): void {
    const end = start + length;
    if (!(end >= this.position && end <= this.bytes.length)) throw beyond(length);
    this.position = end;
  }

  int8(): number {
    const value = this.bytes.readInt8(this.position);
    this.position += 1;
    return value;
  }

  int16(): number {
    const value = this.bytes.readInt16BE(this.position);
    this.position += 2;
    return value;
  }

  int32(): number {
    const value = this.bytes.readInt32BE(this.position);
    this.position += 4;
    return value;
  }

  int64(): bigint {
    const value = this.bytes.readBigInt64BE(this.position);
    this.position += 8;
    return value;
  }

  /** A signed number of variable length. Exact up to 53 bits, which is more than any length or difference has. */
  varint(): number {
    let byte = this.bytes[this.position] as number;
    this.position += 1;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      if (this.position >= this.bytes.length || scale > MAX_VARINT_SCALE) throw beyond(1);
      byte = this.bytes[this.position] as number;
      this.position += 1;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A number of variable length without a sign, up to 32 bits. */
  uvarint(): number {
    let value = 0;
    for (let scale = 1; scale <= 0x80 ** 4; scale *= 0x80) {
      const byte = this.bytes.readUInt8(this.position);
      this.position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw beyond(1);
  }

  /** The next bytes, not copied. */
  take(length: number): Buffer {
    const end = this.endOf(length);
    const bytes = this.bytes.subarray(this.position, end);
    this.position = end;
    return bytes;
  }

  text(length: number): string {
    const end = this.endOf(length);
    const text = this.bytes.toString('utf8', this.position, end);
    this.position = end;
    return text;
  }

  private endOf(length: number): number {
    const end = this.position + length;
    if (!(length >= 0 && end <= this.bytes.length)) throw beyond(length);
    return end;
  }
}

function beyond(length: number): RangeError {
  return new RangeError(`${length} bytes are announced that are not there`);
}

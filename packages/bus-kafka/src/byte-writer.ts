/** Writes Kafka's primitive types, one after the other, into bytes that grow when they must. */
export class ByteWriter {
  at = 0;
  private bytes: Buffer;

  constructor(expectedBytes: number) {
    this.bytes = Buffer.allocUnsafe(expectedBytes);
  }

  /** What was written. Not copied. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  int8(value: number): void {
    this.ensure(1);
    this.bytes[this.at] = value & 0xff;
    this.at += 1;
  }

  int16(value: number): void {
    this.ensure(2);
    this.bytes.writeInt16BE(value, this.at);
    this.at += 2;
  }

  int32(value: number): void {
    this.ensure(4);
    this.bytes.writeInt32BE(value, this.at);
    this.at += 4;
  }

  int64(value: bigint): void {
    this.ensure(8);
    this.bytes.writeBigInt64BE(value, this.at);
    this.at += 8;
  }

  /** A signed number of variable length, up to 53 bits. */
  varint(value: number): void {
    this.ensure(10);
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 0x80)) this.bytes[this.at++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  /** A number of variable length without a sign, up to 31 bits. */
  uvarint(value: number): void {
    this.ensure(5);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  raw(value: Uint8Array): void {
    this.ensure(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Text whose length in bytes is known. */
  text(value: string, length: number): void {
    this.ensure(length);
    this.bytes.write(value, this.at, length, 'utf8');
    this.at += length;
  }

  /** Text with its length before it. */
  string(value: string): void {
    const length = Buffer.byteLength(value);
    this.int16(length);
    this.text(value, length);
  }

  /** Writes where room was left before. */
  patchInt32(value: number, at: number): void {
    this.bytes.writeInt32BE(value | 0, at);
  }

  private ensure(length: number): void {
    const needed = this.at + length;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }
}

/** How many bytes a number of variable length takes. */
export function varintSize(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

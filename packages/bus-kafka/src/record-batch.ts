import { BusError, type HeaderValue, type InboundRecord, isBusError } from '@omnibus/core/transport';
import { ByteReader } from './byte-reader.js';
import { decompress } from './compression.js';
import { crc32c } from './crc32c.js';
import { toBusError } from './errors.js';
import { RepeatedTexts } from './repeated-texts.js';

/** Records that were stored together. */
export interface RecordBatch {
  readonly producerId: string;
  readonly transactional: boolean;
  /** What ends a transaction; its record is no event. */
  readonly marker: 'commit' | 'abort' | undefined;
  readonly baseOffset: string;
  /** Also when compaction took the last record. */
  readonly lastOffset: string;
  readonly records: readonly InboundRecord[];
}

const MAGIC = 2;
/** From the base offset to the length, which does not count these. */
const PREFIX_BYTES = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
/** Of a batch without records. */
const HEADER_BYTES = 61;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

interface BatchHeader {
  readonly baseOffset: bigint;
  readonly timestampMs: number;
  /** The broker's time counts for all of them. */
  readonly appendTimeMs: number | undefined;
  readonly count: number;
}

/**
 * The batches in what a broker sent of one partition, up to the first that cannot be read; rejects when that is the very
 * first (`UNSUPPORTED`, `PAYLOAD_TOO_LARGE`, `BROKER`). Bytes of a batch that was cut off at the end do not count. kafkajs
 * has a decoder for this; here there is one because decoding is most of what consuming costs, and this one takes a
 * fraction of the time.
 */
export async function decodeBatches(bytes: Buffer, checkCrcs = false): Promise<readonly RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for (let at = 0; bytes.length - at > MAGIC_AT; ) {
    const size = PREFIX_BYTES + bytes.readInt32BE(at + 8);
    const end = at + size;
    if (end > bytes.length) break;
    try {
      if (size <= MAGIC_AT) throw new RangeError(`it is said to have ${size} bytes`);
      batches.push(await decodeBatch(bytes.subarray(at, end), checkCrcs));
    } catch (error) {
      if (batches.length > 0) break;
      throw isBusError(error) ? error : unreadable(error);
    }
    at = end;
  }
  return batches;
}

function unreadable(error: unknown): BusError {
  const { name, message } = error as Error;
  if (name !== 'RangeError') return toBusError(error, 'read a batch of records');
  return new BusError('BROKER', `A batch of records is damaged: ${message}`, { cause: error });
}

async function decodeBatch(bytes: Buffer, checkCrcs: boolean): Promise<RecordBatch> {
  if (bytes[MAGIC_AT] !== MAGIC) {
    throw new BusError(
      'UNSUPPORTED',
      'The topic holds records in a format from before Kafka 0.11; copy them to a new topic',
    );
  }
  if (bytes.length < HEADER_BYTES) throw new RangeError(`it is said to have ${bytes.length} bytes`);
  if (checkCrcs && bytes.readUInt32BE(CRC_AT) !== crc32c(bytes.subarray(CRC_AT + 4)))
    throw new RangeError('its checksum says so');
  // A copy, so that a record that waits long keeps its batch in memory, not the whole answer.
  const reader = new ByteReader(Buffer.from(bytes));
  const baseOffset = reader.int64();
  // Length, leader epoch, magic and checksum.
  reader.skip(13);
  const attributes = reader.int16();
  const lastOffset = baseOffset + BigInt(reader.int32());
  const firstTimestampMs = Number(reader.int64());
  const maxTimestampMs = Number(reader.int64());
  const producerId = reader.int64().toString();
  // Producer epoch and first sequence.
  reader.skip(6);
  const header: BatchHeader = {
    baseOffset,
    timestampMs: firstTimestampMs,
    appendTimeMs: (attributes & LOG_APPEND_TIME) === 0 ? undefined : maxTimestampMs,
    count: reader.int32(),
  };
  const compression = attributes & COMPRESSION_MASK;
  const content =
    compression === 0 ? reader : new ByteReader(await decompress(compression, reader.take(reader.left)));
  const isControl = (attributes & CONTROL) !== 0;
  return {
    producerId,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    // Compaction may leave a batch without its records.
    marker: isControl && header.count > 0 ? markerOf(content) : undefined,
    baseOffset: baseOffset.toString(),
    lastOffset: lastOffset.toString(),
    records: isControl ? [] : decodeRecords(content, header),
  };
}

/** Its key: version, then 0 for abort and 1 for commit. */
function markerOf(reader: ByteReader): 'commit' | 'abort' {
  // Length, attributes, time and offset, then the key's length.
  reader.varint();
  reader.skip(1);
  for (let field = 0; field < 3; field += 1) reader.varint();
  reader.skip(2);
  return reader.int16() === 0 ? 'abort' : 'commit';
}

function decodeRecords(reader: ByteReader, header: BatchHeader): InboundRecord[] {
  if (header.count < 0) throw new RangeError(`it is said to have ${header.count} records`);
  const records: InboundRecord[] = [];
  const { appendTimeMs, timestampMs } = header;
  const positionOf = positions(header.baseOffset);
  const names = new RepeatedTexts();
  for (let i = 0; i < header.count; i += 1) {
    const length = reader.varint();
    const start = reader.at;
    reader.skip(1);
    const sinceFirstMs = reader.varint();
    const position = positionOf(reader.varint());
    const keyLength = reader.varint();
    const key = keyLength < 0 ? undefined : reader.text(keyLength);
    const valueLength = reader.varint();
    const value = valueLength < 0 ? null : reader.take(valueLength);
    const headers = decodeHeaders(reader, names);
    records.push({
      key,
      value,
      headers,
      position,
      timestampMs: appendTimeMs ?? timestampMs + sinceFirstMs,
      // Kafka does not count deliveries; the journal does.
      redelivered: false,
    });
    reader.endAt(start, length);
  }
  return records;
}

/** Offsets are 64 bits wide; numbers do, and are faster, as long as they are exact. */
function positions(base: bigint): (delta: number) => string {
  if (base > BigInt(Number.MAX_SAFE_INTEGER) - 2n ** 32n) return (delta) => (base + BigInt(delta)).toString();
  const first = Number(base);
  return (delta) => String(first + delta);
}

function decodeHeaders(reader: ByteReader, names: RepeatedTexts): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {};
  const count = reader.varint();
  for (let i = 0; i < count; i += 1) {
    const name = names.read(reader, reader.varint(), i);
    const length = reader.varint();
    // Foreign records may have headers without a value.
    const value = length < 0 ? undefined : reader.take(length);
    if (name === '__proto__' || Object.hasOwn(headers, name)) addHeader(headers, name, value);
    else headers[name] = value;
  }
  return headers;
}

/** A name that comes again makes a list; one that means something to every object is still only a name. */
function addHeader(headers: Record<string, HeaderValue>, name: string, value: Buffer | undefined): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  const values = [before, value].flat().filter((each) => each !== undefined);
  Object.defineProperty(headers, name, {
    value: values.length > 1 ? values : values[0],
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

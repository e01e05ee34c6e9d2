import { BusError, type HeaderValue, type InboundRecord, isBusError } from '@omnibus/core/transport';
import { ByteReader } from './byte-reader.js';
import { decompress } from './compression.js';
import { crc32c } from './crc32c.js';
import { DecodeBudget } from './decode-budget.js';
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

/** How batches are read. */
export interface DecodeTerms {
  /** @default false */
  readonly checkCrcs?: boolean;
  /** Records before this offset are not wanted. @default 0 */
  readonly from?: bigint;
  /** @default one of its own */
  readonly budget?: DecodeBudget;
}

interface BatchHeader {
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly timestampMs: number;
  /** The broker's time counts for all of them. */
  readonly appendTimeMs: number | undefined;
  readonly count: number;
}

/**
 * The batches in what a broker sent of one partition, up to the first that cannot be read, or as far as the budget goes;
 * rejects when that is the very first (`UNSUPPORTED`, `BROKER`). A batch that unpacks to more than a process should hold is
 * read as one record that is unreadable. Bytes of a batch that was cut off at the end do not count. kafkajs has a decoder
 * for this; here there is one because decoding is most of what consuming costs, and this one takes a fraction of the time.
 */
export async function decodeBatches(
  bytes: Buffer,
  { checkCrcs = false, from = 0n, budget = new DecodeBudget() }: DecodeTerms = {},
): Promise<readonly RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for (let at = 0; bytes.length - at > MAGIC_AT && !budget.isSpent; ) {
    const size = PREFIX_BYTES + bytes.readInt32BE(at + 8);
    const end = at + size;
    if (end > bytes.length) break;
    try {
      if (size <= MAGIC_AT) throw new RangeError(`it is said to have ${size} bytes`);
      batches.push(await decodeBatch(bytes.subarray(at, end), { checkCrcs, from, budget }));
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

async function decodeBatch(
  bytes: Buffer,
  { checkCrcs, from, budget }: Required<DecodeTerms>,
): Promise<RecordBatch> {
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
    lastOffset,
    timestampMs: firstTimestampMs,
    appendTimeMs: (attributes & LOG_APPEND_TIME) === 0 ? undefined : maxTimestampMs,
    count: reader.int32(),
  };
  const isControl = (attributes & CONTROL) !== 0;
  const content = await contentOf(reader, attributes & COMPRESSION_MASK);
  const most = budget.recordsLeft;
  const records = isControl
    ? []
    : content instanceof BusError
      ? [unreadableRecord(header, reader.bytes, content)]
      : decodeRecords(content, header, from, most);
  const isCut = records.length === most;
  budget.spend(content instanceof BusError ? bytes.length : content.bytes.length, records.length);
  return {
    producerId,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    // Compaction may leave a batch without its records.
    marker: isControl && header.count > 0 && content instanceof ByteReader ? markerOf(content) : undefined,
    baseOffset: baseOffset.toString(),
    // Where the budget ends within a batch, the rest is fetched again.
    lastOffset: (isCut ? records.at(-1)?.position : undefined) ?? lastOffset.toString(),
    records,
  };
}

/** What a batch holds, or why nobody should unpack it. */
async function contentOf(reader: ByteReader, compression: number): Promise<ByteReader | BusError> {
  if (compression === 0) return reader;
  try {
    return new ByteReader(await decompress(compression, reader.take(reader.left)));
  } catch (error) {
    if (isBusError(error) && error.code === 'PAYLOAD_TOO_LARGE') return error;
    throw error;
  }
}

/** Stands for a whole batch, at the place of its last record: nothing behind it waits. */
function unreadableRecord(header: BatchHeader, batch: Buffer, unreadable: BusError): InboundRecord {
  return {
    key: undefined,
    value: batch,
    headers: {},
    position: header.lastOffset.toString(),
    timestampMs: header.appendTimeMs ?? header.timestampMs,
    redelivered: false,
    unreadable,
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

function decodeRecords(reader: ByteReader, header: BatchHeader, from: bigint, most: number): InboundRecord[] {
  if (header.count < 0) throw new RangeError(`it is said to have ${header.count} records`);
  const records: InboundRecord[] = [];
  const { appendTimeMs, timestampMs } = header;
  const positionOf = positions(header.baseOffset);
  const names = new RepeatedTexts();
  const firstDelta = Number(from - header.baseOffset);
  for (let i = 0; i < header.count && records.length < most; i += 1) {
    const length = reader.varint();
    const start = reader.at;
    reader.skip(1);
    const sinceFirstMs = reader.varint();
    const delta = reader.varint();
    if (delta < firstDelta) {
      reader.endAt(start, length);
      continue;
    }
    const position = positionOf(delta);
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
  // The list is ours, and grows in place: a copy for each of a hundred thousand would take minutes.
  if (Array.isArray(before)) {
    if (value !== undefined) before.push(value);
    return;
  }
  Object.defineProperty(headers, name, {
    value: before === undefined ? value : value === undefined ? before : [before, value],
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

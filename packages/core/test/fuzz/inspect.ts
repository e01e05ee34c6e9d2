import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import * as api from '@opentelemetry/api';

import { jsonCodec } from '../../src/codec.js';
import { deadLetterRecord, parseDeadLetter, replayRecord } from '../../src/dead-letter-record.js';
import { prepareRecord, readEvent, targetGroup, textHeaders } from '../../src/envelope.js';
import { isBusError } from '../../src/errors.js';
import type { DomainEvent } from '../../src/event.js';
import { HEADER, headerText, isDeadLetterHeader } from '../../src/headers.js';
import { parseJournal } from '../../src/journal.js';
import { TracePropagation } from '../../src/trace-propagation.js';
import type { InboundRecord, OutboundRecord, StoredDeadLetter } from '../../src/transport.js';

const MAX_EVENT_BYTES = 60_000;
const NOW_MS = 1_700_000_000_000;
const PARTITIONS = 6;
const propagation = new TracePropagation(api);

/** How far a record came. */
export type Outcome = 'event' | 'refused';

/** Takes a record through all that reads records. Throws what must not be. */
export function inspect(record: InboundRecord): Outcome {
  const event = read(record);
  if (event) {
    if (!isUtf8(record.value ?? new Uint8Array(0))) throw new Error('bytes that are no text became an event');
    hasPlainPrototypes([event.data, event.metadata]);
    returnsUnchanged(event);
  }
  readHeaders(record);
  const letter = keepsBytes(record, event);
  parsesAsLetter({ id: '1', record: asStored(letter) }, record.value);
  // What others wrote into the queue need not be a dead letter at all.
  if (record.redelivered) parsesAsLetter({ id: '2', record }, record.value);
  readJournal(record);
  return event ? 'event' : 'refused';
}

function read(record: InboundRecord): DomainEvent | undefined {
  try {
    return readEvent(record, jsonCodec, MAX_EVENT_BYTES);
  } catch (error) {
    if (isBusError(error) && error.code === 'DESERIALIZATION') return undefined;
    throw error;
  }
}

function hasPlainPrototypes(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === Array.prototype;
  if (!isPlain || Object.getOwnPropertyDescriptor(value, '__proto__'))
    throw new Error('a field replaced a prototype');
  for (const inner of Object.values(value)) hasPlainPrototypes(inner);
}

/** What was read can be sent on as it is, or is refused for what it holds. */
function returnsUnchanged(event: DomainEvent): void {
  let value: Uint8Array;
  try {
    value = prepareRecord(event, {
      codec: jsonCodec,
      headers: 'full',
      maxEventBytes: 2 * MAX_EVENT_BYTES,
      nowMs: NOW_MS,
    }).value;
  } catch (error) {
    if (isBusError(error) && error.code === 'SERIALIZATION') return;
    throw error;
  }
  if (!isDeepStrictEqual(jsonCodec.decode(value), event)) throw new Error('the event came back changed');
}

function readHeaders({ headers }: InboundRecord): void {
  for (const name of Object.values(HEADER)) isText(headerText(headers, name));
  const texts = textHeaders(headers);
  for (const [name, value] of Object.entries(headers))
    if (typeof value === 'string' && Object.getOwnPropertyDescriptor(texts, name)?.value !== value)
      throw new Error(`header ${name} was lost`);
  for (const text of Object.values(texts)) isText(text);
  isText(targetGroup(headers));
  propagation.extract(headers);
}

function isText(value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw new Error(`a header is ${typeof value}`);
}

function keepsBytes(source: InboundRecord, event: DomainEvent | undefined): OutboundRecord {
  const letter = deadLetterRecord({
    source,
    destination: 'events',
    partition: 1,
    group: 'billing',
    reason: event ? 'max-retries' : 'deserialization',
    error: new Error('no'),
    attempts: 1,
    nowMs: NOW_MS,
    includeStack: false,
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    event,
  });
  sameBytes(letter.value, source.value);
  for (const [name, value] of Object.entries(source.headers))
    if (value !== undefined && !isDeadLetterHeader(name) && !Object.is(letter.headers[name], value))
      throw new Error(`header ${name} of the dead letter is another`);
  return letter;
}

function asStored({ key, value, headers, timestampMs }: OutboundRecord): InboundRecord {
  return { key, value, headers, timestampMs, position: '7', redelivered: false };
}

function parsesAsLetter(stored: StoredDeadLetter, value: Uint8Array | null): void {
  const letter = parseDeadLetter(stored, jsonCodec, 1_000_000);
  sameBytes(letter.raw, value);
  if (Number.isNaN(letter.deadLetteredAt.getTime())) throw new Error('the dead letter has no time');
  const replay = replayRecord(stored, 'billing', PARTITIONS, { nowMs: NOW_MS, event: letter.event });
  sameBytes(replay.value, value);
  if (!(replay.partition >= 0 && replay.partition < PARTITIONS)) throw new Error('no such partition');
}

function sameBytes(kept: Uint8Array, value: Uint8Array | null): void {
  if (Buffer.compare(kept, value ?? new Uint8Array(0)) !== 0) throw new Error('raw bytes were lost');
}

/** Another client's text may stand where a journal belongs. */
function readJournal({ value }: InboundRecord): void {
  const { failures, deaths, anonymousDeaths, suspects } = parseJournal(
    value === null ? undefined : Buffer.from(value).toString(),
  );
  for (const count of [...failures.values(), ...deaths.values(), anonymousDeaths, suspects])
    if (!Number.isInteger(count) || count < 0) throw new Error('a journal with a count that is none');
}

import { isUtf8 } from 'node:buffer';

import { BusError } from './errors.js';
import type { DomainEvent } from './event.js';
import { exactInstant, instantMs, instantText } from './instant.js';
import { parseWithBigIntegers } from './json-integers.js';
import { classify, EXACT, explain, isPlainObject, PLAIN, REFUSED, writeJson } from './json-values.js';

/** How an event becomes bytes and back. `decode(encode(event))` must equal `event`. */
export interface EventCodec {
  /** Media type of the bytes, for example `application/json`. */
  readonly contentType: string;
  /** Throws code `SERIALIZATION` for an event that it cannot carry unchanged. */
  encode(event: DomainEvent): Uint8Array;
  /** Throws code `DESERIALIZATION` for bytes that are no event. Must be safe on hostile bytes. */
  decode(bytes: Uint8Array): DomainEvent;
}

/** The media type of `jsonCodec`: what bytes are when nothing says otherwise. */
export const JSON_CONTENT_TYPE = 'application/json';

/**
 * The default codec: one flat JSON object, the format of eventsource-py. The envelope comes first, in snake_case and in
 * a fixed order with null for what is absent, then the fields of `data` at the same level.
 *
 * **What comes back is what was sent, or it is refused** with the path of the culprit:
 * - Refused: NaN, infinities, functions, symbols, undefined in a list, cycles, invalid Dates, bytes, Maps, Sets and
 *   other objects that JSON writes without their content; texts with half a surrogate pair (no UTF-8 for it); fields
 *   named `__proto__`; fields of `data` named like an envelope field; more than 100 levels or 1,000,000 values.
 * - As in all JSON, fields that are undefined are left out, a Date becomes its ISO text, and an instance of a class
 *   becomes a plain object of its own fields, or what its `toJSON` gives.
 * - -0 stays -0. Numbers are doubles: `42.0` from another language is read as 42 and written as `42`.
 * - An integer that no double spells (from 2^53 on) is read as a BigInt, and such a BigInt is written as an integer.
 *   BigInts that would come back as numbers are refused.
 * - `occurred_at` is UTC, `…Z`. Other offsets are read; digits beyond the millisecond stay in `occurredAtExact`.
 *
 * Read leniently: unknown fields land in `data`; `event_version` and `aggregate_version` are 1, `metadata` is `{}` and
 * `correlation_id` is the event's own id when they are absent or null. The other fields that are not optional must be there.
 */
export const jsonCodec: EventCodec = Object.freeze({ contentType: JSON_CONTENT_TYPE, encode, decode });

const ENVELOPE_FIELDS = [
  'event_id',
  'event_type',
  'event_version',
  'occurred_at',
  'aggregate_id',
  'aggregate_type',
  'aggregate_version',
  'tenant_id',
  'actor_id',
  'correlation_id',
  'causation_id',
  'metadata',
] as const;

type EnvelopeField = (typeof ENVELOPE_FIELDS)[number];
type Fields = Record<string, unknown>;

const ENVELOPE: ReadonlySet<string> = new Set(ENVELOPE_FIELDS);
/** Texts that stand in JSON as they are. */
const SIMPLE_TEXT = /^[ !#-[\]-~]+$/;
/** How JSON shows half a surrogate pair; also `\\ud` of an ordinary text, hence only a hint. */
const MAYBE_HALF_SURROGATE = '\\ud';

function encode(event: DomainEvent): Uint8Array {
  try {
    const json = envelopeJson(event) + dataJson(event.data);
    if (json.includes(MAYBE_HALF_SURROGATE)) refuseHalfSurrogates(event);
    return Buffer.from(json, 'utf8');
  } catch (error) {
    if (error instanceof BusError) throw error;
    // A getter or a toJSON of the application.
    throw new BusError(
      'SERIALIZATION',
      `The event cannot be written as JSON: ${error instanceof Error ? error.message : 'a value of it threw'}`,
      { cause: error },
    );
  }
}

function envelopeJson(event: DomainEvent): string {
  return (
    `{"event_id":${requiredText(event.eventId, 'eventId')},"event_type":${requiredText(event.eventType, 'eventType')}` +
    `,"event_version":${version(event.eventVersion, 'eventVersion')},"occurred_at":"${occurredAtText(event)}"` +
    `,"aggregate_id":${requiredText(event.aggregateId, 'aggregateId')},"aggregate_type":${requiredText(event.aggregateType, 'aggregateType')}` +
    `,"aggregate_version":${version(event.aggregateVersion, 'aggregateVersion')},"tenant_id":${optionalText(event.tenantId, 'tenantId')}` +
    `,"actor_id":${optionalText(event.actorId, 'actorId')},"correlation_id":${requiredText(event.correlationId, 'correlationId')}` +
    `,"causation_id":${optionalText(event.causationId, 'causationId')},"metadata":${objectJson(event.metadata, 'metadata')}`
  );
}

function dataJson(data: unknown): string {
  const json = objectJson(data, 'data');
  for (const name of Object.keys(data as object)) {
    if (ENVELOPE.has(name))
      throw refusal(`data.${name}`, 'the name belongs to the envelope: rename the field');
  }
  return json === '{}' ? '}' : `,${json.slice(1)}`;
}

function objectJson(value: unknown, path: string): string {
  if (!isPlainObject(value)) throw refusal(path, 'must be a plain object');
  const kind = classify(value);
  if (kind === REFUSED) {
    const problem = explain(value);
    throw refusal(`${path}${problem?.path ?? ''}`, problem?.message ?? 'cannot be written as JSON');
  }
  // A plain object is never undefined to JSON.
  return (kind === PLAIN ? JSON.stringify(value) : writeJson(value)) ?? '{}';
}

function requiredText(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw refusal(path, 'must be a text that is not empty');
  return SIMPLE_TEXT.test(value) ? `"${value}"` : JSON.stringify(value);
}

function optionalText(value: unknown, path: string): string {
  return value === undefined ? 'null' : requiredText(value, path);
}

function version(value: unknown, path: string): number {
  if (!isVersion(value)) throw refusal(path, 'must be a whole number from 1');
  return value;
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** The instant as the body has it. Throws code `SERIALIZATION` when it is none. */
export function occurredAtText(event: Pick<DomainEvent, 'occurredAt' | 'occurredAtExact'>): string {
  const { occurredAt, occurredAtExact } = event;
  const timeMs = occurredAt instanceof Date ? occurredAt.getTime() : Number.NaN;
  if (typeof occurredAtExact === 'string' && instantMs(occurredAtExact) === timeMs) {
    const exact = exactInstant(occurredAtExact, timeMs);
    if (exact !== undefined) return exact;
  }
  const text = instantText(timeMs);
  if (text === undefined) throw refusal('occurredAt', 'must be a valid Date in the years 1 to 9999');
  return text;
}

function refuseHalfSurrogates(event: DomainEvent): void {
  const { occurredAt: _, occurredAtExact: __, ...texts } = event;
  const problem = explain(texts);
  if (problem !== undefined) throw refusal(problem.path.replace(/^\./, ''), problem.message);
}

function refusal(path: string, message: string): BusError {
  return new BusError('SERIALIZATION', `The event cannot be written as JSON: ${path}: ${message}`);
}

function decode(bytes: Uint8Array): DomainEvent {
  const text = textOf(bytes);
  let fields = fieldsOf(text, JSON.parse);
  let data = dataOf(fields);
  let metadata = metadataOf(fields);
  if (needsExactIntegers(data, 'data') || needsExactIntegers(metadata, 'metadata')) {
    fields = fieldsOf(text, parseWithBigIntegers);
    data = dataOf(fields);
    metadata = metadataOf(fields);
  }
  return eventOf(fields, metadata, data);
}

function textOf(bytes: Uint8Array): string {
  // Decoding would replace what is not UTF-8 without a word.
  if (!isUtf8(bytes)) throw unreadable('the bytes are not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function fieldsOf(text: string, parse: (text: string) => unknown): Fields {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw unreadable('it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('it is not a JSON object');
  return value as Fields;
}

function dataOf(fields: Fields): Fields {
  const data: Fields = {};
  for (const name of Object.keys(fields)) {
    if (ENVELOPE.has(name)) continue;
    if (name === '__proto__') throw unreadable('the field name __proto__ is refused');
    data[name] = fields[name];
  }
  return data;
}

function metadataOf(fields: Fields): Fields {
  const metadata = fields.metadata ?? {};
  if (typeof metadata !== 'object' || Array.isArray(metadata))
    throw unreadableField('metadata', 'must be an object');
  return metadata as Fields;
}

function needsExactIntegers(value: Fields, path: string): boolean {
  const kind = classify(value);
  if (kind !== REFUSED) return kind === EXACT;
  const problem = explain(value);
  throw unreadable(`${path}${problem?.path ?? ''}: ${problem?.message ?? 'cannot be read'}`);
}

function eventOf(fields: Fields, metadata: Fields, data: Fields): DomainEvent {
  const eventId = textField(fields, 'event_id');
  const occurredAt = textField(fields, 'occurred_at');
  const timeMs = instantMs(occurredAt);
  if (Number.isNaN(timeMs))
    throw unreadableField(
      'occurred_at',
      'must be an RFC 3339 instant with seconds and an offset, such as 2026-01-02T03:04:05Z',
    );
  const event: { -readonly [K in keyof DomainEvent]: DomainEvent[K] } = {
    eventId,
    eventType: textField(fields, 'event_type'),
    eventVersion: versionField(fields, 'event_version'),
    occurredAt: new Date(timeMs),
    aggregateId: textField(fields, 'aggregate_id'),
    aggregateType: textField(fields, 'aggregate_type'),
    aggregateVersion: versionField(fields, 'aggregate_version'),
    correlationId: optionalTextField(fields, 'correlation_id') ?? eventId,
    metadata,
    data,
  };
  const exact = exactInstant(occurredAt, timeMs);
  if (exact !== undefined) event.occurredAtExact = exact;
  const tenantId = optionalTextField(fields, 'tenant_id');
  if (tenantId !== undefined) event.tenantId = tenantId;
  const actorId = optionalTextField(fields, 'actor_id');
  if (actorId !== undefined) event.actorId = actorId;
  const causationId = optionalTextField(fields, 'causation_id');
  if (causationId !== undefined) event.causationId = causationId;
  return event;
}

function textField(fields: Fields, name: EnvelopeField): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw unreadableField(
    name,
    value === undefined || value === null ? 'is missing' : 'must be a text that is not empty',
  );
}

function optionalTextField(fields: Fields, name: EnvelopeField): string | undefined {
  const value = fields[name];
  return value === undefined || value === null ? undefined : textField(fields, name);
}

function versionField(fields: Fields, name: EnvelopeField): number {
  const value = fields[name] ?? 1;
  if (isVersion(value)) return value;
  throw unreadableField(name, 'must be a whole number from 1');
}

function unreadableField(name: EnvelopeField, message: string): BusError {
  return unreadable(`${name} ${message}`);
}

function unreadable(what: string, cause?: unknown): BusError {
  const reason = cause instanceof Error ? `${what} (${cause.message})` : what;
  return new BusError(
    'DESERIALIZATION',
    `The bytes are no event: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}

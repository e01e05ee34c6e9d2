import { isUtf8 } from 'node:buffer';

import { ENVELOPE, ENVELOPE_FIELDS, type EnvelopeField } from './envelope-fields.js';
import { BusError } from './errors.js';
import type { DomainEvent } from './event.js';
import { exactInstant, instantMs } from './instant.js';
import { parseWithBigIntegers } from './json-integers.js';
import { classify, EXACT, explain, REFUSED } from './json-values.js';
import { printable } from './printable.js';

type Fields = Record<string, unknown>;

/** The event of these bytes. Throws code `DESERIALIZATION` that names what is missing or wrong. Safe on hostile bytes. */
export function readJsonEvent(bytes: Uint8Array): DomainEvent {
  const text = textOf(bytes);
  let fields = fieldsOf(text, JSON.parse);
  let data = dataOf(fields);
  let metadata = metadataOf(fields);
  // Both are looked at, whatever the first needs: this also refuses what must not be there.
  const isDataExact = needsExactIntegers(data, 'data');
  const isMetadataExact = needsExactIntegers(metadata, 'metadata');
  if (isDataExact || isMetadataExact) {
    fields = fieldsOf(text, parseWithBigIntegers);
    data = dataOf(fields);
    metadata = metadataOf(fields);
  }
  return eventOf(fields, metadata, data);
}

function textOf(bytes: Uint8Array): string {
  // Decoding would replace what is not UTF-8 without a word.
  if (!isUtf8(bytes)) throw unreadable('the bytes are not UTF-8');
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8');
}

function fieldsOf(text: string, parse: (text: string) => unknown): Fields {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw unreadable('it is not JSON', withoutControls(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('it is not a JSON object');
  return value as Fields;
}

/** V8 quotes the text as it is, and loggers print causes. */
function withoutControls(error: unknown): Error {
  return new SyntaxError(printable((error as Error).message));
}

function dataOf(fields: Fields): Fields {
  const names = Object.keys(fields);
  const data: Fields = {};
  const first = startsWithEnvelope(names) ? ENVELOPE_FIELDS.length : 0;
  for (let index = first; index < names.length; index++) {
    const name = names[index] as string;
    if (first === 0 && ENVELOPE.has(name)) continue;
    if (name === '__proto__') throw unreadable('the field name __proto__ is refused');
    data[name] = fields[name];
  }
  return data;
}

/** Nearly every event has its envelope first and whole: its names need not be looked up one by one then. */
function startsWithEnvelope(names: readonly string[]): boolean {
  for (let index = 0; index < ENVELOPE_FIELDS.length; index++)
    if (names[index] !== ENVELOPE_FIELDS[index]) return false;
  return true;
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
  const eventId = requiredText(fields.event_id, 'event_id');
  const occurredAt = requiredText(fields.occurred_at, 'occurred_at');
  const timeMs = instantMs(occurredAt);
  if (Number.isNaN(timeMs)) {
    throw unreadableField(
      'occurred_at',
      'must be an RFC 3339 instant with seconds and an offset, such as 2026-01-02T03:04:05Z',
    );
  }
  const event: { -readonly [K in keyof DomainEvent]: DomainEvent[K] } = {
    eventId,
    eventType: requiredText(fields.event_type, 'event_type'),
    eventVersion: version(fields.event_version, 'event_version'),
    occurredAt: new Date(timeMs),
    aggregateId: requiredText(fields.aggregate_id, 'aggregate_id'),
    aggregateType: requiredText(fields.aggregate_type, 'aggregate_type'),
    aggregateVersion: version(fields.aggregate_version, 'aggregate_version'),
    correlationId: optionalText(fields.correlation_id, 'correlation_id') ?? eventId,
    metadata,
    data,
  };
  const exact = exactInstant(occurredAt, timeMs);
  if (exact !== undefined) event.occurredAtExact = exact;
  const tenantId = optionalText(fields.tenant_id, 'tenant_id');
  if (tenantId !== undefined) event.tenantId = tenantId;
  const actorId = optionalText(fields.actor_id, 'actor_id');
  if (actorId !== undefined) event.actorId = actorId;
  const causationId = optionalText(fields.causation_id, 'causation_id');
  if (causationId !== undefined) event.causationId = causationId;
  return event;
}

function requiredText(value: unknown, name: EnvelopeField): string {
  if (typeof value === 'string' && value !== '') return value;
  const isMissing = value === undefined || value === null;
  throw unreadableField(name, isMissing ? 'is missing' : 'must be a text that is not empty');
}

function optionalText(value: unknown, name: EnvelopeField): string | undefined {
  return value === undefined || value === null ? undefined : requiredText(value, name);
}

function version(value: unknown, name: EnvelopeField): number {
  if (value === undefined || value === null) return 1;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
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

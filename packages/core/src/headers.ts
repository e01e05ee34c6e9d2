import { isUtf8 } from 'node:buffer';

import { BusError } from './errors.js';
import { quoted } from './printable.js';
import type { HeaderValue, InboundHeaders } from './transport.js';

/** Every header name that the bus writes or reads, those of eventsource-py included. They stand nowhere else. */
export const HEADER = {
  eventId: 'event_id',
  eventType: 'event_type',
  aggregateId: 'aggregate_id',
  aggregateType: 'aggregate_type',
  aggregateVersion: 'aggregate_version',
  occurredAt: 'occurred_at',
  correlationId: 'correlation_id',
  causationId: 'causation_id',
  tenantId: 'tenant_id',
  actorId: 'actor_id',
  contentType: 'content-type',
  targetGroup: 'target_group',
  retryCount: 'retry_count',
  retryAfter: 'retry_after',
  originalMessageId: 'original_message_id',
  dlqReason: 'dlq_reason',
  dlqErrorType: 'dlq_error_type',
  dlqErrorMessage: 'dlq_error_message',
  dlqErrorStack: 'dlq_error_stack',
  dlqRetryCount: 'dlq_retry_count',
  dlqAttempts: 'dlq_attempts',
  dlqHandler: 'dlq_handler',
  dlqFirstFailedAt: 'dlq_first_failed_at',
  dlqTimestamp: 'dlq_timestamp',
  dlqOriginalTopic: 'dlq_original_topic',
  dlqOriginalPartition: 'dlq_original_partition',
  dlqOriginalOffset: 'dlq_original_offset',
  dlqConsumerGroup: 'dlq_consumer_group',
  dlqReplayCount: 'dlq_replay_count',
  dlqBodyBytes: 'dlq_body_bytes',
  dlqHeadersLeftOut: 'dlq_headers_left_out',
  xDlqReason: 'x-dlq-reason',
  xDlqErrorType: 'x-dlq-error-type',
  xDlqRetryCount: 'x-dlq-retry-count',
  xDlqTimestamp: 'x-dlq-timestamp',
} as const;

/** The application may not set these: they say where an event is in its life, or what the body says better. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  HEADER.aggregateId,
  HEADER.aggregateType,
  HEADER.aggregateVersion,
  HEADER.occurredAt,
  HEADER.correlationId,
  HEADER.causationId,
  HEADER.tenantId,
  HEADER.actorId,
  HEADER.contentType,
  HEADER.targetGroup,
  HEADER.retryCount,
  HEADER.retryAfter,
  HEADER.originalMessageId,
  'traceparent',
  'tracestate',
  'baggage',
  'payload',
  'partition_key',
  // RabbitMQ sends a message also to the queues that these name.
  'cc',
  'bcc',
  '__proto__',
]);
const RESERVED_PREFIXES = [
  'event_',
  'dlq_',
  'x-dlq-',
  'x-death',
  'x-retry-',
  'x-last-retry-',
  'x-original-',
  'x-replayed-',
];
/** Traces of failed attempts that a replayed event starts without. */
const ATTEMPT_PREFIXES = [
  'dlq_',
  'x-dlq-',
  'x-death',
  'x-retry-',
  'x-last-retry-',
  'x-original-',
  'x-replayed-',
];
const ATTEMPT_NAMES: ReadonlySet<string> = new Set([
  HEADER.retryCount,
  HEADER.retryAfter,
  HEADER.targetGroup,
  HEADER.originalMessageId,
]);

/** Values that a record may have in its headers, and what they may take: several times what a bus writes. */
const MAX_HEADERS = 1_000;
const MAX_HEADER_BYTES = 262_144;
/** A key longer than this orders nothing, and would have to be written again with the dead letter. */
const MAX_KEY_LENGTH = 65_536;

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;
const HALF_SURROGATES = /\p{Surrogate}/gu;

/** Whether a header belongs to a dead letter, not to the event that became one. */
export function isDeadLetterHeader(name: string): boolean {
  return name.startsWith('dlq_') || name.startsWith('x-dlq-');
}

/** Whether a header tells of failed attempts, of a dead letter, or of an earlier replay. */
export function isAttemptHeader(name: string): boolean {
  return ATTEMPT_NAMES.has(name) || ATTEMPT_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * Throws code `SERIALIZATION` unless every name and value may be sent: text, no control characters, no line breaks, no
 * half surrogate pairs, no reserved name.
 */
export function checkExtraHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers) as [string, unknown][]) {
    const problem = problemOfName(name) ?? problemOfValue(value);
    if (problem !== undefined) throw new BusError('SERIALIZATION', `Header ${quoted(name)}: ${problem}`);
  }
}

function problemOfName(name: string): string | undefined {
  if (name === '') return 'the name is empty';
  const lowerCase = name.toLowerCase();
  if (RESERVED_NAMES.has(lowerCase) || RESERVED_PREFIXES.some((prefix) => lowerCase.startsWith(prefix))) {
    return 'the name is reserved for the bus: choose another';
  }
  return problemOfText(name, 'the name');
}

function problemOfValue(value: unknown): string | undefined {
  return typeof value === 'string' ? problemOfText(value, 'the value') : 'the value must be a text';
}

function problemOfText(text: string, what: string): string | undefined {
  if (CONTROL_CHARACTERS.test(text)) return `${what} contains control characters or line breaks`;
  return text.search(HALF_SURROGATES) === -1 ? undefined : `${what} contains half a surrogate pair`;
}

/** Text of a header; of the last one, as in other languages, when the name occurs more than once. */
export function headerText(headers: InboundHeaders, name: string): string | undefined {
  const value = headers[name];
  return value === undefined ? undefined : valueText(value);
}

/**
 * All headers as text. What is not UTF-8 is given as `base64:` and its bytes in Base64, so that nothing is lost. Takes
 * time: call it when somebody asks.
 */
export function textHeaders(headers: InboundHeaders): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    const text = value === undefined ? undefined : valueText(value);
    if (text !== undefined) texts.push([name, text]);
  }
  // Not by assignment: a header named __proto__ must not become the prototype.
  return Object.fromEntries(texts);
}

function valueText(value: Exclude<HeaderValue, undefined>): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return bytesText(value);
  if (!Array.isArray(value))
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  const last: unknown = value[value.length - 1];
  return typeof last === 'string' ? last : last instanceof Uint8Array ? bytesText(last) : undefined;
}

function bytesText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : `base64:${buffer.toString('base64')}`;
}

/**
 * The only group that a replayed record is meant for; undefined when it is for all. Who replays counts it, so a record
 * that was never replayed is for all, whatever a header of another application says that happens to have this name.
 */
export function targetGroup(headers: InboundHeaders): string | undefined {
  const group = headerText(headers, HEADER.targetGroup);
  return group !== undefined && replayCountOf(headers) > 0 ? group : undefined;
}

/** How often an event was given back to a group. */
export function replayCountOf(headers: InboundHeaders): number {
  return countOf(headerText(headers, HEADER.dlqReplayCount)) ?? 0;
}

/** A count in a header; undefined when it is none. */
export function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A text that may be sent as a header: cut to `maxLength` characters, half surrogate pairs replaced. */
export function safeHeaderText(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replace(HALF_SURROGATES, '\ufffd');
}

/** What headers take in a record, roughly. */
export function headerBytes(headers: InboundHeaders): number {
  let bytes = 0;
  for (const name of Object.keys(headers)) bytes += sizeOf(name, headers[name]);
  return bytes;
}

/** Whether a key is longer than any bus would have it. */
export function isKeyTooLong(key: string | undefined): key is string {
  return key !== undefined && key.length > MAX_KEY_LENGTH;
}

/**
 * What is wrong with the length of a key, or the number or the size of headers. Nobody who means well has so many, and
 * they are copied often.
 */
export function problemOfBounds(key: string | undefined, headers: InboundHeaders): string | undefined {
  if (isKeyTooLong(key)) return `The key has ${key.length} characters`;
  let count = 0;
  let bytes = 0;
  // Of every record: a list of the names would take four times as long.
  for (const name in headers) {
    const value = headers[name];
    count += valuesIn(value);
    bytes += sizeOf(name, value);
  }
  if (count > MAX_HEADERS) return `The record has ${count} headers; at most ${MAX_HEADERS} are read`;
  if (bytes > MAX_HEADER_BYTES)
    return `The headers take ${bytes} bytes; at most ${MAX_HEADER_BYTES} are read`;
  return undefined;
}

/** As many of the headers as a record may have, the first ones, and how many are not among them. */
export function boundedHeaders(headers: Readonly<Record<string, HeaderValue>>): {
  readonly kept: Record<string, HeaderValue>;
  readonly leftOut: number;
} {
  const kept: [string, HeaderValue][] = [];
  let count = 0;
  let bytes = 0;
  const names = Object.keys(headers);
  for (const name of names) {
    const value = headers[name];
    const size = sizeOf(name, value);
    const values = valuesIn(value);
    if (count + values > MAX_HEADERS || bytes + size > MAX_HEADER_BYTES) continue;
    count += values;
    bytes += size;
    kept.push([name, value]);
  }
  return { kept: Object.fromEntries(kept), leftOut: names.length - kept.length };
}

function valuesIn(value: HeaderValue): number {
  return Array.isArray(value) ? value.length : 1;
}

function sizeOf(name: string, value: HeaderValue): number {
  const overhead = name.length + 8;
  if (typeof value === 'string') return overhead + value.length;
  if (!Array.isArray(value)) return overhead + lengthOf(value);
  let bytes = 0;
  for (const each of value) bytes += overhead + lengthOf(each);
  return bytes;
}

/** Clients also hand out numbers, tables and nothing, alone or in lists, whatever the type says. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

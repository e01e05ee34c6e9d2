import { createHash } from 'node:crypto';
import type { HeaderValue, InboundRecord, OutboundRecord } from '@omnibus/core/transport';
import type { Message, Options } from 'amqplib';
import { MAX_NAME_BYTES } from './names.js';

const EVENT_ID = 'event_id';
const AGGREGATE_ID = 'aggregate_id';
const CONTENT_TYPE = 'content-type';
/** Only where it is not the aggregate's id. */
const PARTITION_KEY = 'partition_key';
/** When it was published, in milliseconds: the property `timestamp` has seconds, and is the time of the event. */
const PUBLISHED_AT = 'published_at_ms';

/**
 * RabbitMQ sends a message also to the queues that these name, with the rights of who publishes: what a stranger wrote
 * there must not be published again. Core lets no application set them.
 */
const ROUTES: ReadonlySet<string> = new Set(['CC', 'BCC']);

/** A record that was delivered: what settling it needs to know beside. */
export interface DeliveredRecord extends InboundRecord {
  readonly deliveryTag: number;
}

/** Properties of a message that is told by its id. */
export type PublishProperties = Options.Publish & { readonly messageId: string };

/** Properties and headers of the message of a record: the predecessor's, in its spelling, and the other headers behind them. */
export function propertiesOf(record: OutboundRecord, messageId: string): PublishProperties {
  const { event, headers } = record;
  const correlationId = event.correlationId ?? '';
  return {
    contentType: contentTypeOf(headers[CONTENT_TYPE]),
    contentEncoding: 'utf-8',
    persistent: true,
    mandatory: true,
    messageId,
    timestamp: secondsOf(record),
    headers: headersOf(record, messageId),
    ...(fitsShortText(correlationId) ? { correlationId } : {}),
  };
}

/** The event's id names its message, where it fits. */
export function messageIdOf({ event }: OutboundRecord, otherwise: () => string): string {
  return fitsShortText(event.eventId) ? event.eventId : otherwise();
}

/** The record of a message. */
export function recordOf(message: Message): DeliveredRecord {
  const { content, fields, properties } = message;
  const headers: Record<string, HeaderValue> = {};
  const given = properties.headers ?? {};
  for (const name of Object.keys(given)) {
    if (name !== PARTITION_KEY && name !== PUBLISHED_AT && name !== '__proto__')
      headers[name] = headerOf(given[name]);
  }
  const messageId = textOf(properties.messageId);
  if (messageId !== undefined) headers[EVENT_ID] ??= messageId;
  return {
    key: textOf(given[PARTITION_KEY]) ?? textOf(given[AGGREGATE_ID]),
    value: content,
    headers,
    position: messageId ?? textOf(given[EVENT_ID]) ?? digestOf(content),
    timestampMs: timeOf(message),
    redelivered: fields.redelivered,
    deliveryTag: fields.deliveryTag,
  };
}

/** What headers take in the frame of a message, roughly and at most. */
export function sizeOfHeaders(headers: Readonly<Record<string, unknown>>): number {
  let bytes = 0;
  for (const name of Object.keys(headers)) bytes += sizeOfHeader(name, headers[name]);
  return bytes;
}

/**
 * Leaves out the longest headers until the rest fits, those of the report (`isKept`) last. Returns the names of what was
 * left out.
 */
export function shrinkHeaders(
  headers: Record<string, unknown>,
  maxBytes: number,
  isKept: (name: string) => boolean,
): string[] {
  let bytes = sizeOfHeaders(headers);
  const size = (name: string): number => sizeOfHeader(name, headers[name]);
  const longestFirst = Object.keys(headers).sort(
    (a, b) => Number(isKept(a)) - Number(isKept(b)) || size(b) - size(a),
  );
  const leftOut: string[] = [];
  for (const name of longestFirst) {
    if (bytes <= maxBytes) break;
    bytes -= size(name);
    delete headers[name];
    leftOut.push(name);
  }
  return leftOut;
}

function headersOf({ event, key, headers, timestampMs }: OutboundRecord, messageId: string): object {
  const all: Record<string, unknown> = { event_type: event.eventType, aggregate_type: event.aggregateType };
  if (key !== undefined) all[AGGREGATE_ID] = event.aggregateId;
  all.aggregate_version = event.aggregateVersion;
  all['x-retry-count'] = 0;
  if (event.tenantId !== undefined) all.tenant_id = event.tenantId;
  if (event.correlationId !== undefined) all.correlation_id = event.correlationId;
  if (event.causationId !== undefined) all.causation_id = event.causationId;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || (name === EVENT_ID && value === messageId) || ROUTES.has(name)) continue;
    all[name] = typeof value === 'string' ? value : bytesOf(value);
  }
  if (key !== undefined && key !== event.aggregateId) all[PARTITION_KEY] = key;
  all[PUBLISHED_AT] = timestampMs;
  return all;
}

/** Buffers are told from text on the wire; a list is what its last value is. */
function bytesOf(value: Exclude<HeaderValue, string | undefined>): string | Buffer {
  const one = value instanceof Uint8Array ? value : (value.at(-1) ?? '');
  return typeof one === 'string' ? one : bufferOf(one);
}

/** Numbers, times and tables that other clients write become text. */
function headerOf(value: unknown): HeaderValue {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' ? tableText(value) : String(value);
}

/** Nothing when tables lie too deep inside each other: nobody means that. */
function tableText(table: object): string | undefined {
  try {
    return JSON.stringify(table);
  } catch {
    return undefined;
  }
}

/** A dead letter has what its record said, which may be too long for a property. It stays in the headers. */
function contentTypeOf(header: HeaderValue): string {
  return typeof header === 'string' && fitsShortText(header) ? header : 'application/json';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function timeOf({ properties }: Message): number | undefined {
  const publishedAtMs: unknown = properties.headers?.[PUBLISHED_AT];
  if (typeof publishedAtMs === 'number') return publishedAtMs;
  return typeof properties.timestamp === 'number' ? properties.timestamp * 1_000 : undefined;
}

function secondsOf({ event, timestampMs }: OutboundRecord): number {
  const occurredAtMs = Date.parse(event.occurredAt);
  return Math.floor((occurredAtMs >= 0 ? occurredAtMs : Math.max(0, timestampMs)) / 1_000);
}

/** Names a message that nobody named: the same at every delivery. */
function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

function sizeOfHeader(name: string, value: unknown): number {
  const content =
    typeof value === 'string' ? Buffer.byteLength(value) : value instanceof Uint8Array ? value.byteLength : 8;
  return Buffer.byteLength(name) + content + 6;
}

function fitsShortText(text: string): boolean {
  // Three bytes of UTF-8 for one of UTF-16, at most.
  return text !== '' && (text.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(text) <= MAX_NAME_BYTES);
}

/** The same bytes as a Buffer, which is what amqplib takes. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

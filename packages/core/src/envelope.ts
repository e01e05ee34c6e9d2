import { type EventCodec, JSON_CONTENT_TYPE } from './codec.js';
import { describeError } from './describe-error.js';
import { BusError, isBusError } from './errors.js';
import type { DomainEvent } from './event.js';
import { checkExtraHeaders, HEADER, headerBytes, headerText, problemOfBounds } from './headers.js';
import { isWellFormed } from './json-values.js';
import { quoted } from './printable.js';
import { attributesOf } from './record-attributes.js';
import type { HeaderValue, InboundRecord, OutboundRecord, RecordAttributes } from './transport.js';

export {
  type DeadLetterSource,
  deadLetterRecord,
  parseDeadLetter,
  replayRecord,
} from './dead-letter-record.js';
export { headerText, targetGroup, textHeaders } from './headers.js';

/** A record that waits to be sent: complete but for its partition. */
export interface PreparedRecord extends Omit<OutboundRecord, 'partition'> {
  /** -1 until the number of partitions is known. */
  partition: number;
  /** What it takes in memory and in a request, roughly. */
  readonly bytes: number;
}

/** How an event becomes a record. */
export interface RecordOptions {
  readonly codec: EventCodec;
  readonly headers: 'minimal' | 'full';
  /** What orders the event. @default the aggregate id */
  readonly key?: string | undefined;
  /** Headers of the application. */
  readonly extraHeaders?: Readonly<Record<string, string>> | undefined;
  /** Trace context. Headers of the application with the same name win. */
  readonly traceHeaders?: Readonly<Record<string, string>> | undefined;
  /** Most bytes of the body. */
  readonly maxEventBytes: number;
  /**
   * Time of the record. That of publishing, not of the event: brokers delete by it, and an event of last year must not
   * be deleted on arrival. @default now
   */
  readonly nowMs?: number | undefined;
}

/** Brokers bound headers more tightly than bodies; this much passes on all of them. */
const MAX_EXTRA_HEADER_BYTES = 65_536;
/** What a record costs beside its content. */
const RECORD_OVERHEAD_BYTES = 96;

/**
 * Builds the record of an event; the event may change afterwards. Throws code `SERIALIZATION` for what cannot be
 * carried, and `PAYLOAD_TOO_LARGE`.
 */
export function prepareRecord(event: DomainEvent, options: RecordOptions): PreparedRecord {
  const { codec, maxEventBytes, extraHeaders } = options;
  if (typeof event !== 'object' || event === null)
    throw new BusError(
      'SERIALIZATION',
      `An event must be an object, got ${event === null ? 'null' : typeof event}`,
    );
  const value = encoded(event, codec);
  if (value.byteLength > maxEventBytes) {
    throw new BusError(
      'PAYLOAD_TOO_LARGE',
      `Event ${idOf(event)} takes ${value.byteLength} bytes; at most ${maxEventBytes} may be sent (maxEventBytes, or the broker's own limit): keep large content elsewhere and put its address into the event`,
    );
  }
  const key = checkedKey(options.key, event);
  const attributes = attributesOf(event);
  const headers = headersOf(attributes, event, options);
  if (extraHeaders !== undefined) addExtraHeaders(headers, extraHeaders);
  checkBounds(key, headers, event);
  return {
    partition: -1,
    key,
    value,
    headers,
    timestampMs: options.nowMs ?? Date.now(),
    event: attributes,
    bytes: value.byteLength + key.length + headerBytes(headers) + RECORD_OVERHEAD_BYTES,
  };
}

/** What readers refuse is not sent either. */
function checkBounds(key: string, headers: Readonly<Record<string, HeaderValue>>, event: DomainEvent): void {
  const problem = problemOfBounds(key, headers);
  if (problem !== undefined)
    throw new BusError('PAYLOAD_TOO_LARGE', `Event ${idOf(event)} cannot be sent. ${problem}`);
}

function encoded(event: DomainEvent, codec: EventCodec): Uint8Array {
  try {
    return codec.encode(event);
  } catch (error) {
    throw codecError(
      'SERIALIZATION',
      `The codec ${codec.contentType} could not write event ${idOf(event)}`,
      error,
    );
  }
}

function checkedKey(given: string | undefined, event: DomainEvent): string {
  const key: unknown = given ?? event.aggregateId;
  if (typeof key !== 'string' || key === '')
    throw new BusError(
      'SERIALIZATION',
      `The key of event ${idOf(event)} must be a text that is not empty: see partitionKey`,
    );
  if (key !== event.aggregateId && !isWellFormed(key))
    throw new BusError('SERIALIZATION', `The key of event ${idOf(event)} holds half a surrogate pair`);
  return key;
}

function headersOf(
  attributes: RecordAttributes,
  event: DomainEvent,
  { codec, headers: mode, traceHeaders }: RecordOptions,
): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {
    [HEADER.eventId]: attributes.eventId,
    [HEADER.eventType]: attributes.eventType,
  };
  if (mode === 'full') addFullHeaders(headers, attributes, event);
  if (codec.contentType !== JSON_CONTENT_TYPE) headers[HEADER.contentType] = codec.contentType;
  if (traceHeaders !== undefined) Object.assign(headers, traceHeaders);
  return headers;
}

/** All that eventsource-py writes, in its order and spelling. */
function addFullHeaders(
  headers: Record<string, HeaderValue>,
  attributes: RecordAttributes,
  event: DomainEvent,
): void {
  headers[HEADER.aggregateId] = attributes.aggregateId;
  headers[HEADER.aggregateType] = attributes.aggregateType;
  headers[HEADER.aggregateVersion] = String(attributes.aggregateVersion);
  headers[HEADER.occurredAt] = attributes.occurredAt.replace('Z', '+00:00');
  headers[HEADER.correlationId] = event.correlationId;
  if (event.tenantId !== undefined) headers[HEADER.tenantId] = event.tenantId;
  if (event.causationId !== undefined) headers[HEADER.causationId] = event.causationId;
  if (event.actorId !== undefined) headers[HEADER.actorId] = event.actorId;
}

function addExtraHeaders(
  headers: Record<string, HeaderValue>,
  extra: Readonly<Record<string, string>>,
): void {
  checkExtraHeaders(extra);
  const bytes = headerBytes(extra);
  if (bytes > MAX_EXTRA_HEADER_BYTES) {
    throw new BusError(
      'PAYLOAD_TOO_LARGE',
      `The headers take ${bytes} bytes; at most ${MAX_EXTRA_HEADER_BYTES} pass on every broker: put them into the event's metadata`,
    );
  }
  Object.assign(headers, extra);
}

/**
 * The event of a record. Only the body counts: headers are copies for routing, and what only a header says (a type, for
 * example) does not make a body an event. Throws code `DESERIALIZATION`.
 */
export function readEvent(record: InboundRecord, codec: EventCodec, maxEventBytes: number): DomainEvent {
  const { key, value, headers, unreadable } = record;
  if (unreadable) throw unreadable;
  const problem = problemOfBounds(key, headers);
  if (problem !== undefined) throw new BusError('DESERIALIZATION', problem);
  if (value === null) throw new BusError('DESERIALIZATION', 'The record has no body');
  if (value.byteLength > maxEventBytes) {
    throw new BusError(
      'DESERIALIZATION',
      `The body takes ${value.byteLength} bytes; maxEventBytes is ${maxEventBytes}`,
    );
  }
  const contentType = headerText(headers, HEADER.contentType);
  if (contentType !== undefined && mediaType(contentType) !== mediaType(codec.contentType)) {
    throw new BusError(
      'DESERIALIZATION',
      `The body is ${quoted(contentType)}, this bus reads ${codec.contentType}: all services on a stream must use the same codec`,
    );
  }
  let event: DomainEvent;
  try {
    event = codec.decode(value);
  } catch (error) {
    throw codecError('DESERIALIZATION', `The codec ${codec.contentType} could not read the body`, error);
  }
  if (typeof (event as Partial<DomainEvent> | null | undefined)?.eventType === 'string') return event;
  throw new BusError('DESERIALIZATION', `The codec ${codec.contentType} gave no event`);
}

/** Quoted, so that a line break in it does not start a line of the log. */
function idOf(event: DomainEvent): string {
  return quoted(String(event.eventId));
}

/** Without parameters such as `charset`. */
function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** An error of a codec as the bus shows it: its own when it is one, else with the code that the contract promises. */
function codecError(code: 'SERIALIZATION' | 'DESERIALIZATION', what: string, error: unknown): BusError {
  return isBusError(error)
    ? error
    : new BusError(code, `${what}: ${describeError(error).message}`, { cause: error });
}

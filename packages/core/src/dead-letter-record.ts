import type { EventCodec } from './codec.js';
import { describeError } from './describe-error.js';
import type { DomainEvent } from './event.js';
import type { DeadLetter, DeadLetterReason } from './event-bus.js';
import {
  boundedHeaders,
  countOf,
  HEADER,
  headerText,
  isAttemptHeader,
  isDeadLetterHeader,
  isKeyTooLong,
  replayCountOf,
  safeHeaderText,
  textHeaders,
} from './headers.js';
import { instantMs, instantText } from './instant.js';
import { partitionOf } from './partition.js';
import { attributesFromHeaders, attributesOf } from './record-attributes.js';
import type {
  HeaderValue,
  InboundHeaders,
  InboundRecord,
  OutboundRecord,
  RecordAttributes,
  StoredDeadLetter,
} from './transport.js';

/** A record that is given up, and why. */
export interface DeadLetterSource {
  readonly source: InboundRecord;
  /** Where `source` came from. */
  readonly destination: string;
  readonly partition: number;
  readonly group: string;
  readonly reason: DeadLetterReason;
  /** What the handler threw: anything. */
  readonly error: unknown;
  /** How often handlers ran. */
  readonly attempts: number;
  /** Name of the handler that failed. */
  readonly handler?: string | undefined;
  readonly firstFailedAtMs?: number | undefined;
  readonly nowMs: number;
  /** Store the error's stack too. */
  readonly includeStack: boolean;
  /** The largest body that the broker takes. */
  readonly maxBodyBytes: number;
  /** The event, when its bytes could be read. */
  readonly event?: DomainEvent | undefined;
}

const WIRE_REASONS: Readonly<Record<DeadLetterReason, string>> = {
  'max-retries': 'max_retries_exceeded',
  'non-retryable': 'non_retryable',
  deserialization: 'deserialization_error',
  validation: 'validation_error',
  'unknown-type': 'unknown_event_type',
  crash: 'crash',
};
const REASONS: ReadonlyMap<string, string> = new Map(
  Object.entries(WIRE_REASONS).map(([reason, wire]) => [wire, reason]),
);

const MAX_NAME_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 1000;
const MAX_STACK_LENGTH = 8000;
const NO_BYTES = new Uint8Array(0);
/** The largest distance from the epoch that a Date can hold. */
const MAX_DATE_MS = 8.64e15;

/**
 * The dead letter of a record: its key, its bytes and its headers as they came, and what happened in headers of its own,
 * which replace those of an earlier life as a dead letter. The count of replays goes on. A dead letter must be one that
 * can be written, whoever wrote the record: of what no bus would have sent, only a part is kept, and the report says so.
 */
export function deadLetterRecord(given: DeadLetterSource): OutboundRecord {
  const { source, nowMs, event } = given;
  const { kept: headers, leftOut } = boundedHeaders(headersWithout(source.headers, isDeadLetterHeader));
  Object.assign(headers, reportHeaders(given));
  if (leftOut > 0) headers[HEADER.dlqHeadersLeftOut] = String(leftOut);
  const value = bodyOf(given, headers);
  const replays = replayCountOf(source.headers);
  if (replays > 0) headers[HEADER.dlqReplayCount] = String(replays);
  return {
    partition: given.partition,
    key: isKeyTooLong(source.key) ? undefined : source.key,
    value,
    headers,
    timestampMs: nowMs,
    event: attributesFor(event, source.headers),
  };
}

/** The beginning of a body that is larger than any that may be published. A copy, so that the rest need not stay. */
function bodyOf(
  { source, maxBodyBytes }: DeadLetterSource,
  headers: Record<string, HeaderValue>,
): Uint8Array {
  const value = source.value ?? NO_BYTES;
  if (value.byteLength <= maxBodyBytes) return value;
  headers[HEADER.dlqBodyBytes] = String(value.byteLength);
  return Uint8Array.prototype.slice.call(value, 0, maxBodyBytes);
}

/** How many retries a dead letter tells of, for brokers where the predecessor keeps that beside the headers. */
export function deadLetterRetries({ headers }: OutboundRecord): string {
  return headerText(headers, HEADER.dlqRetryCount) ?? '0';
}

function reportHeaders(given: DeadLetterSource): Record<string, string> {
  const { type, message, stack } = describeError(given.error);
  const headers: Record<string, string> = {
    [HEADER.dlqReason]: WIRE_REASONS[given.reason],
    [HEADER.dlqErrorType]: safeHeaderText(type, MAX_NAME_LENGTH),
    [HEADER.dlqErrorMessage]: safeHeaderText(message, MAX_MESSAGE_LENGTH),
    [HEADER.dlqRetryCount]: String(Math.max(0, given.attempts - 1)),
    [HEADER.dlqAttempts]: String(given.attempts),
    [HEADER.dlqTimestamp]: instantHeader(given.nowMs),
    [HEADER.dlqOriginalTopic]: given.destination,
    [HEADER.dlqOriginalPartition]: String(given.partition),
    [HEADER.dlqOriginalOffset]: given.source.position,
    [HEADER.dlqConsumerGroup]: given.group,
  };
  if (given.handler !== undefined)
    headers[HEADER.dlqHandler] = safeHeaderText(given.handler, MAX_NAME_LENGTH);
  if (given.firstFailedAtMs !== undefined)
    headers[HEADER.dlqFirstFailedAt] = instantHeader(given.firstFailedAtMs);
  if (given.includeStack && stack !== undefined)
    headers[HEADER.dlqErrorStack] = safeHeaderText(stack, MAX_STACK_LENGTH);
  return headers;
}

/** As eventsource-py writes instants in headers. */
function instantHeader(timeMs: number): string {
  return instantText(timeMs, '+00:00') ?? '';
}

/**
 * Reads a stored dead letter, also one that eventsource-py wrote, whose headers differ by broker. What is missing or
 * makes no sense gets a neutral value. Never throws: a letter that cannot be listed could not be replayed or purged either.
 */
export function parseDeadLetter(
  stored: StoredDeadLetter,
  codec: EventCodec,
  maxEventBytes: number,
): DeadLetter {
  const { record } = stored;
  const { headers } = record;
  const text = (name: string): string | undefined => headerText(headers, name);
  const event = decoded(record, codec, maxEventBytes);
  const eventId = event?.eventId ?? text(HEADER.eventId);
  const eventType = event?.eventType ?? text(HEADER.eventType);
  const errorStack = text(HEADER.dlqErrorStack);
  const handler = text(HEADER.dlqHandler);
  const firstFailedAt = dateOf(text(HEADER.dlqFirstFailedAt));
  return {
    id: stored.id,
    group: text(HEADER.dlqConsumerGroup) ?? '',
    reason: reasonOf(headers),
    ...(event === undefined ? {} : { event }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(eventType === undefined ? {} : { eventType }),
    raw: record.value ?? NO_BYTES,
    ...(record.key === undefined ? {} : { key: record.key }),
    headers: textHeaders(headersWithout(headers, (name) => isReport(headers, name))),
    errorType: text(HEADER.dlqErrorType) ?? text(HEADER.xDlqErrorType) ?? '',
    // On RabbitMQ eventsource-py calls the message of the error the reason.
    errorMessage: text(HEADER.dlqErrorMessage) ?? text(HEADER.xDlqReason) ?? '',
    ...(errorStack === undefined ? {} : { errorStack }),
    ...(handler === undefined ? {} : { handler }),
    attempts: attemptsOf(headers),
    ...(firstFailedAt === undefined ? {} : { firstFailedAt }),
    deadLetteredAt:
      dateOf(text(HEADER.dlqTimestamp) ?? text(HEADER.xDlqTimestamp)) ??
      new Date(validMs(record.timestampMs)),
    source: {
      destination: text(HEADER.dlqOriginalTopic) ?? '',
      partition: countOf(text(HEADER.dlqOriginalPartition)) ?? -1,
      position: text(HEADER.dlqOriginalOffset) ?? text(HEADER.originalMessageId) ?? '',
    },
    replayCount: replayCountOf(headers),
  };
}

/**
 * The record that gives a dead letter back to `group`, and to no other: key, bytes and headers of the event, without
 * what its failed attempts left, and one replay more. It goes to the partition of its key, behind what is there.
 */
export function replayRecord(
  stored: StoredDeadLetter,
  group: string,
  partitions: number,
  options: { readonly nowMs?: number; readonly event?: DomainEvent | undefined } = {},
): OutboundRecord {
  const { record } = stored;
  const headers = headersWithout(record.headers, isAttemptHeader);
  headers[HEADER.dlqReplayCount] = String(replayCountOf(record.headers) + 1);
  headers[HEADER.targetGroup] = group;
  const original = countOf(headerText(record.headers, HEADER.dlqOriginalPartition)) ?? 0;
  return {
    partition: record.key === undefined ? original % partitions : partitionOf(record.key, partitions),
    key: record.key,
    value: record.value ?? NO_BYTES,
    headers,
    timestampMs: options.nowMs ?? Date.now(),
    event: attributesFor(options.event, record.headers),
  };
}

/** On Redis the predecessor's fields for the position and the count of retries have no prefix. */
function isReport(headers: InboundHeaders, name: string): boolean {
  if (isDeadLetterHeader(name) || name === HEADER.originalMessageId) return true;
  return name === HEADER.retryCount && headers[HEADER.originalMessageId] !== undefined;
}

function attributesFor(event: DomainEvent | undefined, headers: InboundHeaders): RecordAttributes {
  try {
    if (event !== undefined) return attributesOf(event);
  } catch {
    // A handler may have spoilt the event: what the headers say is enough.
  }
  return attributesFromHeaders(headers);
}

function headersWithout(
  headers: InboundHeaders,
  isLeftOut: (name: string) => boolean,
): Record<string, HeaderValue> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== undefined && !isLeftOut(name)),
  );
}

function decoded(
  { value }: InboundRecord,
  codec: EventCodec,
  maxEventBytes: number,
): DomainEvent | undefined {
  // Its size is what made it a dead letter.
  if (value === null || value.byteLength > maxEventBytes) return undefined;
  try {
    return codec.decode(value);
  } catch {
    return undefined;
  }
}

function reasonOf(headers: InboundHeaders): string {
  const wire = headerText(headers, HEADER.dlqReason);
  if (wire !== undefined) return REASONS.get(wire) ?? wire;
  // On Redis and RabbitMQ eventsource-py names no reason; it has only this one.
  const byPredecessor =
    headers[HEADER.xDlqReason] !== undefined || headers[HEADER.originalMessageId] !== undefined;
  return byPredecessor ? ('max-retries' satisfies DeadLetterReason) : 'unknown';
}

function attemptsOf(headers: InboundHeaders): number {
  const text = (name: string): string | undefined => headerText(headers, name);
  const attempts = countOf(text(HEADER.dlqAttempts));
  if (attempts !== undefined) return attempts;
  const retries = countOf(
    text(HEADER.dlqRetryCount) ?? text(HEADER.xDlqRetryCount) ?? text(HEADER.retryCount),
  );
  if (retries === undefined || reasonOf(headers) === ('deserialization' satisfies DeadLetterReason)) return 0;
  return retries + 1;
}

function dateOf(text: string | undefined): Date | undefined {
  const timeMs = text === undefined ? Number.NaN : instantMs(text);
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs);
}

function validMs(timeMs: number | undefined): number {
  return timeMs !== undefined && Math.abs(timeMs) <= MAX_DATE_MS ? timeMs : 0;
}

import type { HeaderValue, InboundRecord, OutboundRecord } from '@omnibus/core/transport';
import { RepeatedNames } from './repeated-names.js';

/** An entry of a stream as a script or a read gives it; no fields when it was deleted. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

/** One argument of a command. */
export type Argument = string | number | Buffer;

/** The predecessor's field for the body: the only one that it reads. */
const PAYLOAD = 'payload';
const AGGREGATE_ID = 'aggregate_id';
/** Only where it is not the aggregate's id. */
const PARTITION_KEY = 'partition_key';

/**
 * Fields and values of the entry of a record: the predecessor's, in its order, and behind them the other headers. A header
 * of the same name wins: in a dead letter it is what the field was before.
 */
export function fieldsOf({ event, key, value, headers }: OutboundRecord): Argument[] {
  const fields: Argument[] = [];
  const add = (name: string, content: HeaderValue): void => {
    for (const each of valuesOf(content)) fields.push(name, typeof each === 'string' ? each : bufferOf(each));
  };
  const aggregateId = headers[AGGREGATE_ID] ?? (key === undefined ? undefined : event.aggregateId);
  add('event_id', headers.event_id ?? event.eventId);
  add('event_type', headers.event_type ?? event.eventType);
  add(AGGREGATE_ID, aggregateId);
  add('aggregate_type', headers.aggregate_type ?? event.aggregateType);
  add('tenant_id', headers.tenant_id ?? event.tenantId ?? '');
  add('occurred_at', headers.occurred_at ?? event.occurredAt.replace('Z', '+00:00'));
  add(PAYLOAD, value);
  if (key !== undefined && key !== textOf(aggregateId)) add(PARTITION_KEY, key);
  for (const name of Object.keys(headers)) if (!OWN_FIELDS.has(name)) add(name, headers[name]);
  return fields;
}

const names = new RepeatedNames();

/** The record of an entry. A field that occurs more than once counts as its last one. */
export function recordOf([id, fields]: RawEntry, redelivered: boolean): InboundRecord {
  const position = id.toString('latin1');
  const headers: Record<string, HeaderValue> = {};
  let value: Buffer | null = null;
  let key: Buffer | undefined;
  let aggregateId: Buffer | undefined;
  for (let at = 0; fields !== null && at + 1 < fields.length; at += 2) {
    const name = names.read(fields[at] as Buffer, at / 2);
    const content = fields[at + 1] as Buffer;
    if (name === PAYLOAD) value = content;
    else if (name === PARTITION_KEY) key = content;
    else setHeader(headers, name, content);
    if (name === AGGREGATE_ID) aggregateId = content;
  }
  return {
    key: (key ?? aggregateId)?.toString(),
    value,
    headers,
    position,
    timestampMs: timeOf(position),
    redelivered,
  };
}

/** The time that a position begins with. */
export function timeOf(position: string): number {
  return Number(position.slice(0, position.indexOf('-')));
}

/** Orders positions. */
export function comparePositions(a: string, b: string): number {
  return timeOf(a) - timeOf(b) || sequenceOf(a) - sequenceOf(b);
}

const OWN_FIELDS: ReadonlySet<string> = new Set([
  'event_id',
  'event_type',
  AGGREGATE_ID,
  'aggregate_type',
  'tenant_id',
  'occurred_at',
  PAYLOAD,
  PARTITION_KEY,
]);

function sequenceOf(position: string): number {
  return Number(position.slice(position.indexOf('-') + 1));
}

function setHeader(headers: Record<string, HeaderValue>, name: string, value: Buffer): void {
  if (name !== '__proto__') headers[name] = value;
}

function valuesOf(header: HeaderValue): readonly (string | Uint8Array)[] {
  if (header === undefined) return [];
  return typeof header === 'string' || header instanceof Uint8Array ? [header] : header;
}

function textOf(header: HeaderValue): string | undefined {
  const last = valuesOf(header).at(-1);
  return typeof last === 'string' || last === undefined ? last : bufferOf(last).toString();
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

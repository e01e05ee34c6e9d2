import { types } from 'node:util';

import { ENVELOPE } from './envelope-fields.js';
import { BusError } from './errors.js';
import type { DomainEvent } from './event.js';
import { exactInstant, instantMs, instantText } from './instant.js';
import { classify, explain, isPlainObject, PLAIN, REFUSED, writeJson } from './json-values.js';

/** Texts that stand in JSON as they are. */
const SIMPLE_TEXT = /^[ !#-[\]-~]+$/;
/** How JSON shows half a surrogate pair; also `\\ud` of an ordinary text, hence only a hint. */
const MAYBE_HALF_SURROGATE = '\\ud';

/** Bytes of an event. Throws code `SERIALIZATION` with the path of what JSON cannot carry unchanged. */
export function writeJsonEvent(event: DomainEvent): Uint8Array {
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
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw refusal(path, 'must be a whole number from 1');
  return value as number;
}

/** The instant as the body has it. Throws code `SERIALIZATION` when it is none. */
export function occurredAtText(event: Pick<DomainEvent, 'occurredAt' | 'occurredAtExact'>): string {
  const { occurredAt, occurredAtExact } = event;
  const timeMs = types.isDate(occurredAt) ? occurredAt.getTime() : Number.NaN;
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

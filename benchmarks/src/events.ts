import { randomUUID } from 'node:crypto';

import { createEvent, type DomainEvent, jsonCodec } from '@omnibus/core';

/** The one type of all events here. */
export const EVENT_TYPE = 'MeterRead';
/** Bytes of an event as JSON, exactly. */
export const EVENT_BYTES = 500;
/** Aggregates that the events belong to: what is ordered, and what may be handled at once. */
export const KEYS = 1_000;
/** So many are made; more are these again. */
const DIFFERENT_EVENTS = 10_000;

/** An event as JSON knows it: what a program without a bus would send. */
export type PlainEvent = Readonly<Record<string, unknown>> & { readonly aggregate_id: string };

/** What one publish takes, in the form of the bus and in that of a raw client. Both become the same bytes. */
export interface Batch {
  readonly events: readonly DomainEvent[];
  readonly plain: readonly PlainEvent[];
}

/**
 * `count` events in batches of `perBatch`, made before the clock starts. They come from a circle of a few thousand: a
 * heap full of events that wait to be published would make every garbage collection dear, on both sides.
 */
export function batchesOf(count: number, perBatch: number): readonly Batch[] {
  const different = Math.min(Math.ceil(count / perBatch), Math.ceil(DIFFERENT_EVENTS / perBatch));
  const circle = Array.from({ length: different }, (_, i) => batchFrom(i * perBatch, perBatch));
  const batches = Array.from(
    { length: Math.floor(count / perBatch) },
    (_, i) => circle[i % different] as Batch,
  );
  const rest = count % perBatch;
  return rest === 0 ? batches : [...batches, batchFrom(0, rest)];
}

function batchFrom(firstIndex: number, length: number): Batch {
  const events = Array.from({ length }, (_, i) => meterRead(firstIndex + i));
  return { events, plain: events.map(plainOf) };
}

function meterRead(index: number): DomainEvent {
  const eventId = randomUUID();
  const occurredAt = new Date();
  const event = (note: string): DomainEvent =>
    createEvent({
      eventId,
      correlationId: eventId,
      eventType: EVENT_TYPE,
      aggregateType: 'Meter',
      aggregateId: `meter-${index % KEYS}`,
      aggregateVersion: Math.floor(index / KEYS) + 1,
      occurredAt,
      data: { reading: index, unit: 'kWh', note },
    });
  return event('.'.repeat(EVENT_BYTES - jsonCodec.encode(event('')).byteLength));
}

function plainOf(event: DomainEvent): PlainEvent {
  return JSON.parse(Buffer.from(jsonCodec.encode(event)).toString()) as PlainEvent;
}

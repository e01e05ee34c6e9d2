import { randomUUID } from 'node:crypto';

import { createEvent, type DomainEvent, jsonCodec } from '@omnibus/core';

/** The one type of all events here. */
export const EVENT_TYPE = 'MeterRead';
/** Bytes of an event as JSON, exactly. */
export const EVENT_BYTES = 500;
/** Aggregates that the events belong to: what is ordered, and what may be handled at once. */
export const KEYS = 1_000;

/** An event as JSON knows it: what a program without a bus would send. */
export type PlainEvent = Readonly<Record<string, unknown>> & { readonly aggregate_id: string };

/** What one publish takes, in the form of the bus and in that of a raw client. Both become the same bytes. */
export interface Batch {
  readonly events: readonly DomainEvent[];
  readonly plain: readonly PlainEvent[];
}

/** `count` events in batches of `perBatch`, made before the clock starts. */
export function batchesOf(count: number, perBatch: number, firstIndex = 0): readonly Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < count; from += perBatch) {
    const length = Math.min(perBatch, count - from);
    const events = Array.from({ length }, (_, i) => meterRead(firstIndex + from + i));
    batches.push({ events, plain: events.map(plainOf) });
  }
  return batches;
}

function meterRead(index: number): DomainEvent {
  const event = (note: string): DomainEvent =>
    createEvent({
      eventId: eventId,
      correlationId: eventId,
      eventType: EVENT_TYPE,
      aggregateType: 'Meter',
      aggregateId: `meter-${index % KEYS}`,
      aggregateVersion: Math.floor(index / KEYS) + 1,
      occurredAt,
      data: { reading: index, unit: 'kWh', note },
    });
  const eventId = randomUUID();
  const occurredAt = new Date();
  return event('.'.repeat(EVENT_BYTES - jsonCodec.encode(event('')).byteLength));
}

function plainOf(event: DomainEvent): PlainEvent {
  return JSON.parse(Buffer.from(jsonCodec.encode(event)).toString()) as PlainEvent;
}

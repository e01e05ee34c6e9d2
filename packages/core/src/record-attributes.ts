import type { DomainEvent } from './event.js';
import { HEADER, headerText } from './headers.js';
import { occurredAtText } from './json-event-writer.js';
import type { InboundHeaders, RecordAttributes } from './transport.js';

/** What brokers keep beside the body of an event. Throws code `SERIALIZATION` when `occurredAt` is no instant. */
export function attributesOf(event: DomainEvent): RecordAttributes {
  const attributes: { -readonly [K in keyof RecordAttributes]: RecordAttributes[K] } = {
    eventId: event.eventId,
    eventType: event.eventType,
    aggregateId: event.aggregateId,
    aggregateType: event.aggregateType,
    aggregateVersion: event.aggregateVersion,
    correlationId: event.correlationId,
    occurredAt: occurredAtText(event),
  };
  if (event.tenantId !== undefined) attributes.tenantId = event.tenantId;
  if (event.actorId !== undefined) attributes.actorId = event.actorId;
  if (event.causationId !== undefined) attributes.causationId = event.causationId;
  return attributes;
}

/** The attributes of a record whose body cannot be read: what its headers say. */
export function attributesFromHeaders(headers: InboundHeaders): RecordAttributes {
  const text = (name: string): string => headerText(headers, name) ?? '';
  return {
    eventId: text(HEADER.eventId),
    eventType: text(HEADER.eventType),
    aggregateId: text(HEADER.aggregateId),
    aggregateType: text(HEADER.aggregateType),
    aggregateVersion: 0,
    occurredAt: '',
  };
}

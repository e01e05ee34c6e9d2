import type { Attributes } from '@opentelemetry/api';

import { describeError } from './describe-error.js';
import { isBusError } from './errors.js';
import type { DomainEvent } from './event.js';
import type { ProcessInfo } from './tracing-types.js';

/**
 * The attributes of spans, by the semantic conventions for messaging. What those have no name for is `omnibus.*`. All
 * are given when a span starts, so that a sampler can decide by them.
 */
export class TraceAttributes {
  readonly #client: Attributes;
  readonly #system: string;

  constructor(system: string, clientId: string) {
    this.#system = system;
    this.#client = { 'messaging.system': system, 'messaging.client.id': clientId };
  }

  create(event: DomainEvent, destination: string): Attributes {
    return { ...this.#operation('create', destination), ...ofEvent(event) };
  }

  send(events: readonly DomainEvent[], destination: string): Attributes {
    const [first] = events;
    return {
      ...this.#operation('send', destination),
      ...(events.length === 1 && first ? ofEvent(first) : { 'messaging.batch.message_count': events.length }),
    };
  }

  process({
    record,
    event,
    group,
    partition,
    attempt,
    destination,
    handlerCount,
    replay,
  }: ProcessInfo): Attributes {
    return {
      ...this.#operation('process', destination),
      ...(event ? ofEvent(event) : {}),
      ...(this.#system === 'kafka' ? ofKafka(record) : {}),
      'messaging.consumer.group.name': group,
      'messaging.destination.partition.id': String(partition),
      'messaging.message.body.size': record.value?.byteLength ?? 0,
      'omnibus.message.position': record.position,
      'omnibus.delivery.attempt': attempt,
      'omnibus.delivery.redelivered': record.redelivered,
      'omnibus.delivery.replay': replay,
      'omnibus.handler.count': handlerCount,
    };
  }

  #operation(operation: 'create' | 'send' | 'process', destination: string): Attributes {
    return {
      ...this.#client,
      'messaging.destination.name': destination,
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
    };
  }
}

function ofEvent(event: DomainEvent): Attributes {
  return {
    'messaging.message.id': event.eventId,
    'messaging.message.conversation_id': event.correlationId,
    'omnibus.event.type': event.eventType,
    'omnibus.aggregate.id': event.aggregateId,
    'omnibus.aggregate.type': event.aggregateType,
  };
}

/** The conventions have names of their own for Kafka. */
function ofKafka({ position, key, value }: ProcessInfo['record']): Attributes {
  const offset = Number(position);
  return {
    ...(Number.isSafeInteger(offset) ? { 'messaging.kafka.offset': offset } : {}),
    ...(key === undefined ? {} : { 'messaging.kafka.message.key': key }),
    ...(value === null ? { 'messaging.kafka.message.tombstone': true } : {}),
  };
}

/** `error.type`: the code of a `BusError`, else the name of the class; anything may have been thrown. */
export function errorType(error: unknown): string {
  return isBusError(error) ? error.code : describeError(error).type;
}

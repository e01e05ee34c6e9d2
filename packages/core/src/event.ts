import { randomUUID } from 'node:crypto';

import type { StandardSchema } from './standard-schema.js';

/**
 * An immutable fact about one aggregate.
 *
 * On the wire it is one flat JSON object: the envelope below in snake_case, then the fields of `data` at the same
 * level. `data` is therefore an object, and none of its fields may carry the name of an envelope field.
 */
export interface DomainEvent<TType extends string = string, TData = Readonly<Record<string, unknown>>> {
  /** Identity of the event, unique for ever: what an idempotent handler remembers. */
  readonly eventId: string;
  readonly eventType: TType;
  /** Version of the schema of `data`, from 1. */
  readonly eventVersion: number;
  /** When it happened, to the millisecond. */
  readonly occurredAt: Date;
  /**
   * The instant as it arrived, when it was finer than a millisecond (`2026-01-02T03:04:05.678901Z`). A republished
   * event keeps it as long as it denotes the same millisecond as `occurredAt`.
   */
  readonly occurredAtExact?: string;
  readonly aggregateId: string;
  readonly aggregateType: string;
  /** Version of the aggregate after this event, from 1. */
  readonly aggregateVersion: number;
  readonly tenantId?: string;
  readonly actorId?: string;
  /** Groups everything that one request caused. */
  readonly correlationId: string;
  /** The event that caused this one. */
  readonly causationId?: string;
  /** Free for the application; travels with the event. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly data: TData;
}

/** What `createEvent` needs: everything that it cannot fill in itself. */
export interface NewEvent<TType extends string = string, TData = Readonly<Record<string, unknown>>> {
  readonly eventType: TType;
  readonly aggregateId: string;
  readonly aggregateType: string;
  /** @default 1 */
  readonly aggregateVersion?: number;
  /** @default 1 */
  readonly eventVersion?: number;
  /** @default a random UUID (version 4) */
  readonly eventId?: string;
  /** @default now */
  readonly occurredAt?: Date;
  readonly occurredAtExact?: string;
  readonly tenantId?: string;
  readonly actorId?: string;
  /** @default a random UUID (version 4) */
  readonly correlationId?: string;
  readonly causationId?: string;
  /** @default {} */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly data: TData;
}

/** Completes an event: ids, time, versions and metadata that were not given. The result is frozen (not deeply). */
export function createEvent<TType extends string, TData>(
  input: NewEvent<TType, TData>,
): DomainEvent<TType, TData> {
  return Object.freeze({
    eventId: input.eventId ?? randomUUID(),
    eventType: input.eventType,
    eventVersion: input.eventVersion ?? 1,
    occurredAt: input.occurredAt ?? new Date(),
    ...(input.occurredAtExact === undefined ? {} : { occurredAtExact: input.occurredAtExact }),
    aggregateId: input.aggregateId,
    aggregateType: input.aggregateType,
    aggregateVersion: input.aggregateVersion ?? 1,
    ...(input.tenantId === undefined ? {} : { tenantId: input.tenantId }),
    ...(input.actorId === undefined ? {} : { actorId: input.actorId }),
    correlationId: input.correlationId ?? randomUUID(),
    ...(input.causationId === undefined ? {} : { causationId: input.causationId }),
    metadata: input.metadata ?? {},
    data: input.data,
  });
}

/** A type of event made known with `defineEvent`: a typed factory, a typed `subscribe`, validation on both sides. */
export interface EventDefinition<E extends DomainEvent = DomainEvent> {
  readonly eventType: E['eventType'];
  readonly eventVersion: number;
  /** Checks `data` when publishing and when consuming. Absent: nothing is checked. */
  readonly schema: StandardSchema | undefined;
  /** Completes an event of this type. Validation happens in `publish`. */
  create(
    input: Omit<NewEvent<E['eventType'], E['data']>, 'eventType' | 'eventVersion' | 'aggregateType'> & {
      readonly aggregateType?: string;
    },
  ): E;
}

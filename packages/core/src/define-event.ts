import { describeError } from './describe-error.js';
import { BusError, isBusError } from './errors.js';
import { createEvent, type DomainEvent, type EventDefinition } from './event.js';
import type { SchemaOutput, StandardIssue, StandardResult, StandardSchema } from './standard-schema.js';

/** The event that a definition stands for, for the types of handlers: `EventOf<typeof OrderPlaced>`. */
export type EventOf<D extends EventDefinition> = D extends EventDefinition<infer E> ? E : never;

/** What `defineEvent` may be told. */
export interface DefineEventOptions<S extends StandardSchema | undefined = StandardSchema | undefined> {
  /** Checks `data`, when publishing and when consuming. Any Standard Schema: zod, valibot, arktype… @default nothing is checked */
  readonly schema?: S;
  /** Version of the schema, from 1. @default 1 */
  readonly version?: number;
  /** Type of the aggregate that these events belong to. Left out here, `create` must be told. */
  readonly aggregateType?: string;
}

type Data = Readonly<Record<string, unknown>>;

/** The type of `data` that a schema yields; any object without a schema; `never` when the schema yields no object. */
export type DataOf<S> = S extends StandardSchema ? Extract<SchemaOutput<S>, Data> : Data;

/**
 * Makes a type of event known: a typed factory, a typed `subscribe`, and validation on both sides. Throws code
 * `CONFIGURATION` for an empty type or a version below 1.
 */
export function defineEvent<const T extends string, S extends StandardSchema | undefined = undefined>(
  type: T,
  options: DefineEventOptions<S> = {},
): EventDefinition<DomainEvent<T, DataOf<S>>> {
  const { schema, version = 1, aggregateType } = options;
  if (typeof type !== 'string' || type === '')
    throw new BusError('CONFIGURATION', 'defineEvent: the type must be a text that is not empty');
  if (!Number.isSafeInteger(version) || version < 1)
    throw new BusError(
      'CONFIGURATION',
      `defineEvent(${JSON.stringify(type)}): version must be a whole number from 1`,
    );
  return Object.freeze({
    eventType: type,
    eventVersion: version,
    schema,
    create: (input) => {
      const aggregate = input.aggregateType ?? aggregateType;
      if (aggregate === undefined) {
        throw new BusError('VALIDATION', `${type}: no aggregateType; give it to defineEvent or to create`);
      }
      return createEvent<T, DataOf<S>>({
        ...input,
        eventType: type,
        eventVersion: version,
        aggregateType: aggregate,
      });
    },
  } satisfies EventDefinition<DomainEvent<T, DataOf<S>>>);
}

/**
 * Checks `data` by the definition's schema and gives what the schema yields (defaults filled in, fields transformed),
 * which takes the place of `data`. A promise only when the schema is asynchronous. Throws, or rejects with, code
 * `VALIDATION` and the paths of what is wrong.
 */
export function validateData<E extends DomainEvent>(
  definition: EventDefinition<E>,
  data: unknown,
): E['data'] | Promise<E['data']> {
  const { schema, eventType } = definition;
  if (schema === undefined) return data as E['data'];
  let result: StandardResult<unknown> | Promise<StandardResult<unknown>>;
  try {
    result = schema['~standard'].validate(data);
  } catch (error) {
    throw brokenSchema(eventType, error);
  }
  if (!isThenable(result)) return accepted<E>(eventType, result);
  return Promise.resolve(result).then(
    (settled) => accepted<E>(eventType, settled),
    (error: unknown) => {
      throw brokenSchema(eventType, error);
    },
  );
}

function accepted<E extends DomainEvent>(eventType: string, result: StandardResult<unknown>): E['data'] {
  if (typeof (result as unknown) !== 'object' || result === null) throw brokenSchema(eventType, result);
  if (result.issues === undefined) {
    const { value } = result;
    if (typeof value === 'object' && value !== null) return value as E['data'];
    throw new BusError(
      'VALIDATION',
      `${eventType}: the schema must yield an object, got ${value === null ? 'null' : typeof value}`,
    );
  }
  const [first] = result.issues;
  const more = result.issues.length > 1 ? ` (and ${result.issues.length - 1} more)` : '';
  throw new BusError('VALIDATION', `${eventType}: ${describeIssue(first)}${more}`, { cause: result.issues });
}

function describeIssue(issue: StandardIssue | undefined): string {
  if (issue === undefined) return 'data: refused by the schema without a reason';
  const path = (issue.path ?? []).map((segment) => {
    const key = typeof segment === 'object' ? segment.key : segment;
    return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
  });
  return `data${path.join('')}: ${issue.message}`;
}

function brokenSchema(eventType: string, error: unknown): BusError {
  if (isBusError(error) && error.code === 'VALIDATION') return error;
  return new BusError(
    'VALIDATION',
    `${eventType}: the schema itself failed: ${describeError(error).message}`,
    { cause: error },
  );
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}

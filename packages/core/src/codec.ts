import type { DomainEvent } from './event.js';
import { readJsonEvent } from './json-event-reader.js';
import { writeJsonEvent } from './json-event-writer.js';

/** How an event becomes bytes and back. `decode(encode(event))` must equal `event`. */
export interface EventCodec {
  /** Media type of the bytes, for example `application/json`. */
  readonly contentType: string;
  /** Throws code `SERIALIZATION` for an event that it cannot carry unchanged. */
  encode(event: DomainEvent): Uint8Array;
  /** Throws code `DESERIALIZATION` for bytes that are no event. Must be safe on hostile bytes. */
  decode(bytes: Uint8Array): DomainEvent;
}

/** The media type of `jsonCodec`: what bytes are when nothing says otherwise. */
export const JSON_CONTENT_TYPE = 'application/json';

/**
 * The default codec: one flat JSON object, the format of eventsource-py. The envelope comes first, in snake_case and in
 * a fixed order with null for what is absent, then the fields of `data` at the same level.
 *
 * **What comes back is what was sent, or it is refused** with the path of the culprit:
 * - Refused: NaN, infinities, functions, symbols, undefined in a list, cycles, invalid Dates, bytes, Maps, Sets and
 *   other objects that JSON writes without their content; texts with half a surrogate pair (no UTF-8 for it); fields
 *   named `__proto__`; fields of `data` named like an envelope field; more than 100 levels or 1,000,000 values.
 * - As in all JSON, fields that are undefined are left out, a Date becomes its ISO text, and an instance of a class
 *   becomes a plain object of its own fields, or what its `toJSON` gives.
 * - -0 stays -0. Numbers are doubles: `42.0` from another language is read as 42 and written as `42`.
 * - An integer that no double spells (from 2^53 on) is read as a BigInt, and such a BigInt is written as an integer.
 *   BigInts that would come back as numbers are refused.
 * - `occurred_at` is UTC, `…Z`. Other offsets are read; digits beyond the millisecond stay in `occurredAtExact`.
 *
 * Read leniently: unknown fields land in `data`; `event_version` and `aggregate_version` are 1, `metadata` is `{}` and
 * `correlation_id` is the event's own id when they are absent or null. The other fields that are not optional must be there.
 */
export const jsonCodec: EventCodec = Object.freeze({
  contentType: JSON_CONTENT_TYPE,
  encode: writeJsonEvent,
  decode: readJsonEvent,
});

import { createEvent, jsonCodec } from '@omnibus/core';

/** An event as it stands on the wire, field by field: what a foreign producer would write. */
export function wireFields(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const event = createEvent({
    eventType: 'Foreign',
    aggregateId: 'key-0',
    aggregateType: 'Counter',
    data: { n: 1 },
  });
  const fields = JSON.parse(Buffer.from(jsonCodec.encode(event)).toString()) as Record<string, unknown>;
  return { ...fields, ...changes };
}

/** The body of a record: fields set to undefined are left out. */
export function wireBody(changes: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(JSON.stringify(wireFields(changes)));
}

/** A body with one more field, given as JSON text that `JSON.stringify` would never write. */
export function wireBodyWith(field: string, json: string): Buffer {
  const body = wireBody().toString();
  return Buffer.from(`${body.slice(0, -1)},${JSON.stringify(field)}:${json}}`);
}

import fc from 'fast-check';

import { type EventCodec, jsonCodec } from '../src/codec.js';
import {
  headerText,
  prepareRecord,
  type RecordOptions,
  readEvent,
  targetGroup,
  textHeaders,
} from '../src/envelope.js';
import { isBusError } from '../src/errors.js';
import type { DomainEvent } from '../src/event.js';
import type { InboundHeaders, InboundRecord } from '../src/transport.js';
import { recorded } from './recorded.js';
import { sampleEvent, thrownBy } from './sample-event.js';

const MAX = 1_000_000;
const event = sampleEvent();
const prepare = (changes: Partial<RecordOptions> = {}, of: DomainEvent = event) =>
  prepareRecord(of, { codec: jsonCodec, headers: 'minimal', maxEventBytes: MAX, ...changes });
const inbound = (changes: Partial<InboundRecord> = {}): InboundRecord => ({
  key: event.aggregateId,
  value: jsonCodec.encode(event),
  headers: {},
  position: '0',
  timestampMs: 0,
  redelivered: false,
  ...changes,
});
const shouting: EventCodec = { ...jsonCodec, contentType: 'application/x-shouting' };

describe('the record of an event', () => {
  it('has the key, the bytes, a place for the partition, and the time of publishing', () => {
    const record = prepare({ nowMs: 123 });
    expect(record).toMatchObject({ partition: -1, key: event.aggregateId, timestampMs: 123 });
    expect(record.value).toEqual(jsonCodec.encode(event));
    expect(record.bytes).toBeGreaterThan(record.value.byteLength + event.aggregateId.length);
    expect(prepare({ key: 'tenant-7' }).key).toBe('tenant-7');
  });

  it('has minimal headers: id and type', () => {
    expect(prepare().headers).toEqual({ event_id: event.eventId, event_type: 'OrderPlaced' });
  });

  it('names the content type of a codec that is not the default', () => {
    expect(prepare({ codec: shouting }).headers).toMatchObject({ 'content-type': 'application/x-shouting' });
  });

  it('has the attributes that some brokers keep beside the body', () => {
    const full = sampleEvent({
      tenantId: 't',
      actorId: 'a',
      causationId: 'c',
      occurredAtExact: '2026-01-02T03:04:05.678901Z',
    });
    expect(prepare({}, full).event).toEqual({
      eventId: full.eventId,
      eventType: 'OrderPlaced',
      aggregateId: full.aggregateId,
      aggregateType: 'Order',
      aggregateVersion: 1,
      tenantId: 't',
      actorId: 'a',
      correlationId: full.correlationId,
      causationId: 'c',
      occurredAt: '2026-01-02T03:04:05.678901Z',
    });
    expect(Object.keys(prepare().event)).not.toContain('tenantId');
  });

  it('does not follow later changes of the event', () => {
    const mutable = { ...event, data: { n: 1 } };
    const record = prepare({}, mutable);
    mutable.eventType = 'Other';
    mutable.data.n = 2;
    expect(record.event.eventType).toBe('OrderPlaced');
    expect(readEvent(inbound({ value: record.value }), jsonCodec, MAX).data).toEqual({ n: 1 });
  });

  it('carries headers of the application and of the trace, those of the application first', () => {
    const headers = prepare({
      extraHeaders: { Region: 'eu', 'x-b3-sampled': '0' },
      traceHeaders: { traceparent: '00-1', 'x-b3-sampled': '1' },
    }).headers;
    expect(headers).toEqual({
      event_id: event.eventId,
      event_type: 'OrderPlaced',
      Region: 'eu',
      traceparent: '00-1',
      'x-b3-sampled': '0',
    });
  });

  it('keeps the case and the content of 50 headers of 1 KiB', () => {
    const extraHeaders = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`X-Header-${index}`, String(index % 10).repeat(1024)]),
    );
    expect(prepare({ extraHeaders }).headers).toMatchObject(extraHeaders);
  });
});

describe('full headers', () => {
  it.each(recorded('kafka/stream'))(
    'of $name are those that eventsource-py wrote, in its order',
    ({ body, headers }) => {
      const { retry_count: _, retry_after: __, ...expected } = headers;
      const written = prepare({ headers: 'full' }, jsonCodec.decode(Buffer.from(body))).headers;
      expect(Object.entries(written)).toEqual(Object.entries(expected));
    },
  );
});

describe('what cannot be sent', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a name of the envelope', { event_kind: 'x' }],
    ['in capitals too', { Event_Id: 'x' }],
    ['aggregate_id', { aggregate_id: 'x' }],
    ['a dead letter header', { dlq_reason: 'x' }],
    ['a header of eventsource-py on RabbitMQ', { 'x-retry-count': '1' }],
    ['target_group', { target_group: 'x' }],
    ['traceparent', { traceparent: 'x' }],
    ['content-type', { 'Content-Type': 'x' }],
    ['__proto__', JSON.parse('{"__proto__":"x"}') as Record<string, unknown>],
    ['an empty name', { '': 'x' }],
    ['a line break in a name', { 'a\r\nb': 'x' }],
    ['a line break in a value', { a: 'x\r\nb: y' }],
    ['NUL in a value', { a: '\u0000' }],
    ['half a surrogate pair', { a: '\ud800' }],
    ['a number', { a: 7 }],
    ['bytes', { a: Buffer.from('x') }],
  ])('header: %s', (_, extraHeaders) => {
    const error = thrownBy(() => prepare({ extraHeaders: extraHeaders as Record<string, string> }));
    expect(error.code).toBe('SERIALIZATION');
    expect(error.message).toContain(JSON.stringify(Object.keys(extraHeaders)[0]));
    expect(error.message).not.toMatch(/[\r\n]/);
  });

  it('more than 64 KiB of headers', () => {
    expect(thrownBy(() => prepare({ extraHeaders: { a: 'x'.repeat(65_536) } })).code).toBe(
      'PAYLOAD_TOO_LARGE',
    );
  });

  it('a body larger than maxEventBytes, by one byte', () => {
    const size = jsonCodec.encode(event).byteLength;
    expect(prepare({ maxEventBytes: size }).value).toHaveLength(size);
    const error = thrownBy(() => prepare({ maxEventBytes: size - 1 }));
    expect(error).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      retryable: false,
      message: expect.stringContaining(`${size} bytes; at most ${size - 1} may be sent`),
    });
  });

  it.each<[string, unknown]>([
    ['an empty key', ''],
    ['a number as the key', 7],
    ['half a surrogate pair in the key', '\ud800'],
  ])('%s', (_, key) => {
    expect(thrownBy(() => prepare({ key: key as string })).code).toBe('SERIALIZATION');
  });

  it.each([undefined, null, 'text', 7])('%p as an event', (none) => {
    expect(
      thrownBy(() =>
        prepareRecord(none as unknown as DomainEvent, {
          codec: jsonCodec,
          headers: 'minimal',
          maxEventBytes: MAX,
        }),
      ).code,
    ).toBe('SERIALIZATION');
  });

  it('is named in one line, whatever its id holds', () => {
    const error = thrownBy(() => prepare({ maxEventBytes: 1 }, sampleEvent({ eventId: 'a\nERROR forged' })));
    expect(error.message).toContain('a\\nERROR forged');
    expect(error.message).not.toContain('\n');
  });

  it('what a codec of the application refuses, with its error as the cause', () => {
    const cause = new TypeError('no such schema');
    const codec: EventCodec = {
      ...jsonCodec,
      encode: () => {
        throw cause;
      },
    };
    expect(thrownBy(() => prepare({ codec }))).toMatchObject({
      code: 'SERIALIZATION',
      message: expect.stringContaining('no such schema'),
      cause,
    });
  });
});

describe('reading a record', () => {
  it('gives the event that was sent', () => {
    expect(readEvent(inbound(), jsonCodec, MAX)).toEqual(event);
  });

  it('believes the body, not the headers', () => {
    expect(readEvent(inbound({ headers: { event_type: 'Other', event_id: 'x' } }), jsonCodec, MAX)).toEqual(
      event,
    );
    const withoutType = Buffer.from(
      Buffer.from(jsonCodec.encode(event)).toString().replace('"event_type":"OrderPlaced",', ''),
    );
    const error = thrownBy(() =>
      readEvent(inbound({ value: withoutType, headers: { event_type: 'OrderPlaced' } }), jsonCodec, MAX),
    );
    expect(error).toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining('event_type is missing'),
    });
  });

  it.each<[string, Partial<InboundRecord>, string]>([
    ['no body', { value: null }, 'no body'],
    ['an empty body', { value: new Uint8Array(0) }, 'not JSON'],
    ['a body larger than maxEventBytes', { value: Buffer.alloc(MAX + 1) }, `${MAX + 1} bytes`],
    [
      'a body of another codec',
      { headers: { 'content-type': Buffer.from('application/avro') } },
      'application/avro',
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(thrownBy(() => readEvent(inbound(changes), jsonCodec, MAX))).toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining(message),
    });
  });

  it.each(['application/json', 'Application/JSON; charset=utf-8'])(
    'accepts the content type %s',
    (contentType) => {
      expect(readEvent(inbound({ headers: { 'content-type': contentType } }), jsonCodec, MAX).eventId).toBe(
        event.eventId,
      );
    },
  );

  it('wraps what a codec of the application throws', () => {
    const codec: EventCodec = {
      ...jsonCodec,
      decode: () => {
        throw new RangeError('short');
      },
    };
    expect(thrownBy(() => readEvent(inbound(), codec, MAX))).toMatchObject({
      code: 'DESERIALIZATION',
      cause: expect.any(RangeError),
    });
  });

  it('gives an event or a DESERIALIZATION error for any record', () => {
    const headerValue = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.array(fc.oneof(fc.string(), fc.uint8Array())),
      fc.constant(undefined),
    );
    const headers = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('content-type', 'event_type', 'target_group')),
      headerValue,
    ) as fc.Arbitrary<InboundHeaders>;
    const value = fc.oneof(
      fc.constant(null),
      fc.uint8Array(),
      fc.constant(jsonCodec.encode(event)),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(headers, value, (anyHeaders, anyValue) => {
        expect(Object.values(textHeaders(anyHeaders)).every((text) => typeof text === 'string')).toBe(true);
        try {
          readEvent(inbound({ headers: anyHeaders, value: anyValue }), jsonCodec, MAX);
        } catch (error) {
          expect(isBusError(error) && error.code).toBe('DESERIALIZATION');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('headers as text', () => {
  const headers: InboundHeaders = {
    text: 'plain',
    utf8: Buffer.from('Zoë'),
    binary: Uint8Array.of(0xff, 0x00),
    several: ['first', Buffer.from('last')],
    none: undefined,
    empty: [],
  };

  it('are UTF-8, or Base64 where the bytes are none, the last of several, and nothing for nothing', () => {
    expect(textHeaders(headers)).toEqual({
      text: 'plain',
      utf8: 'Zoë',
      binary: 'base64:/wA=',
      several: 'last',
    });
    expect(headerText(headers, 'several')).toBe('last');
    expect(headerText(headers, 'missing')).toBeUndefined();
  });

  it('cannot change a prototype', () => {
    const texts = textHeaders(JSON.parse('{"__proto__":"x"}') as InboundHeaders);
    expect(Object.getPrototypeOf(texts)).toBe(Object.prototype);
    expect(Object.keys(texts)).toEqual(['__proto__']);
  });

  it('tell the group that a record is meant for', () => {
    const replayed = { target_group: Buffer.from('billing'), dlq_replay_count: '1' };
    expect(targetGroup(replayed)).toBe('billing');
    expect(targetGroup({})).toBeUndefined();
  });

  it.each([undefined, '0', '-1', 'x', ''])(
    'keep nothing from anybody when the record was never replayed: %p',
    (dlq_replay_count) => {
      expect(targetGroup({ target_group: 'adults', dlq_replay_count })).toBeUndefined();
    },
  );

  it('are bounded, sent or received', () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`h${n}`, 'x']));
    const list = { same: Array.from({ length: 1_001 }, () => 'x') };
    const large = { h: 'x'.repeat(262_145) };
    for (const headers of [many, list, large])
      expect(thrownBy(() => readEvent(inbound({ headers }), jsonCodec, MAX))).toMatchObject({
        code: 'DESERIALIZATION',
        message: expect.stringMatching(/at most/),
      });
    expect(thrownBy(() => prepare({ extraHeaders: many }))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});

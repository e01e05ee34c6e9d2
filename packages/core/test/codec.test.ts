import fc from 'fast-check';

import { jsonCodec } from '../src/codec.js';
import { isBusError } from '../src/errors.js';
import type { DomainEvent } from '../src/event.js';
import { recorded } from './recorded.js';
import { sampleEvent, thrownBy } from './sample-event.js';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (event: DomainEvent): string => Buffer.from(jsonCodec.encode(event)).toString('utf8');
const bodyOf = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ ...JSON.parse(textOf(sampleEvent({ data: {} }))), ...fields });
const withRaw = (field: string): Uint8Array => bytesOf(`${bodyOf().slice(0, -1)},${field}}`);
const carried = (data: Record<string, unknown>): unknown =>
  jsonCodec.decode(jsonCodec.encode(sampleEvent({ data }))).data;

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

describe('the bytes of an event', () => {
  it('are one flat object: the envelope in fixed order with nulls, then the data', () => {
    expect(textOf(sampleEvent({ data: { total: 42.5, note: null }, metadata: { source: 'web' } }))).toBe(
      '{"event_id":"11111111-1111-4111-8111-111111111111","event_type":"OrderPlaced","event_version":1,' +
        '"occurred_at":"2026-01-02T03:04:05.678000Z","aggregate_id":"00000000-0000-4000-8000-00000000000a",' +
        '"aggregate_type":"Order","aggregate_version":1,"tenant_id":null,"actor_id":null,' +
        '"correlation_id":"22222222-2222-4222-8222-222222222222","causation_id":null,"metadata":{"source":"web"},' +
        '"total":42.5,"note":null}',
    );
  });

  it('have the optional ids where they are given', () => {
    const text = textOf(sampleEvent({ tenantId: 't', actorId: 'user:7', causationId: 'c' }));
    expect(text).toContain(
      '"tenant_id":"t","actor_id":"user:7","correlation_id":"22222222-2222-4222-8222-222222222222","causation_id":"c"',
    );
  });

  it('keep digits beyond the millisecond as long as they denote the same millisecond', () => {
    const occurredAtExact = '2026-01-02T03:04:05.678901Z';
    expect(textOf(sampleEvent({ occurredAtExact }))).toContain(`"occurred_at":"${occurredAtExact}"`);
    expect(textOf(sampleEvent({ occurredAtExact, occurredAt: new Date('2026-01-02T03:04:06Z') }))).toContain(
      '"occurred_at":"2026-01-02T03:04:06Z"',
    );
  });

  it('keep the place of integer-like names of data behind the envelope', () => {
    expect(textOf(sampleEvent({ data: { 7: 'x' } }))).toMatch(/"metadata":\{\},"7":"x"\}$/);
    expect(carried({ 7: 'x', b: 1 })).toEqual({ 7: 'x', b: 1 });
  });
});

describe('what a body carries unchanged', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['minus zero', -0],
    ['minus zero inside', { list: [0, -0] }],
    ['an empty text', ''],
    ['an empty list', []],
    ['an empty object', {}],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['a double beyond the safe integers', 2 ** 60],
    ['a huge double', 1.7976931348623157e308],
    ['the smallest double', 5e-324],
    ['a BigInt that no double spells', 2n ** 60n],
    ['a negative BigInt', { list: [-(2n ** 64n) - 1n] }],
    ['astral, joined, right-to-left and combining characters', '𝒳👩‍👩‍👧 مرحبا é\u0301'],
    ['NUL and line separators', 'a\u0000b\u2028c'],
    ['text that looks like an escape', '\\ud800 \\\\udfff'],
    [
      'digits in a text beside a big integer',
      { text: '12345678901234567890', integer: 12345678901234567890n },
    ],
  ])('%s', (_, value) => {
    expect(carried({ value })).toStrictEqual({ value });
  });

  it('writes a Date as its ISO text, an instance as its fields, and leaves undefined fields out', () => {
    class Money {
      constructor(
        readonly amount: number,
        readonly currency: string,
      ) {}
    }
    const data = {
      at: new Date(0),
      price: new Money(5, 'EUR'),
      none: undefined,
      custom: { toString: undefined, inner: { a: -0 } },
    };
    expect(carried(data)).toStrictEqual({
      at: '1970-01-01T00:00:00.000Z',
      price: { amount: 5, currency: 'EUR' },
      custom: { inner: { a: -0 } },
    });
  });

  it('any JSON value, identical after the way there and back', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'grapheme' }).map((name) => `f_${name}`),
          fc.jsonValue({ stringUnit: 'grapheme' }),
          { noNullPrototype: true },
        ),
        (data) => {
          // fast-check makes fields named __proto__, which the codec refuses.
          fc.pre(!JSON.stringify(data).includes('"__proto__"'));
          expect(carried(data)).toStrictEqual(data);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('any finite double and any integer text from other languages', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) =>
        Object.is((carried({ n }) as { n: number }).n, n),
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (integer) => {
        const { n } = jsonCodec.decode(withRaw(`"n":${integer}`)).data as { n: number | bigint };
        // Nothing is lost: it spells itself, and goes out as it came in.
        expect(String(n)).toBe(String(integer));
        expect(textOf(sampleEvent({ data: { n } }))).toMatch(new RegExp(`"n":${integer}}$`));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('metadata', () => {
  it('is checked also where the data holds an integer that no number spells', () => {
    const bytes = jsonCodec.encode(sampleEvent({ data: { big: 9007199254740993n } }));
    const hostile = Buffer.from(bytes)
      .toString()
      .replace('"metadata":{}', '"metadata":{"__proto__":{"a":1}}');
    expect(hostile).toContain('__proto__');
    expect(() => jsonCodec.decode(Buffer.from(hostile))).toThrow('__proto__');
  });
});

describe('what a body cannot carry is refused with its path', () => {
  const cycle: Record<string, unknown> = { list: [] };
  (cycle.list as unknown[]).push({ back: cycle });

  it.each<[string, Record<string, unknown>, string]>([
    ['NaN', { items: [{ price: Number.NaN }] }, 'data.items[0].price: NaN'],
    ['infinity', { n: Number.NEGATIVE_INFINITY }, 'data.n: -Infinity'],
    ['a function', { f: () => 1 }, 'data.f: a function'],
    ['a symbol', { s: Symbol('s') }, 'data.s: a symbol'],
    ['undefined in a list', { list: [1, undefined] }, 'data.list[1]: undefined'],
    ['a hole in a list', { list: new Array<number>(2) }, 'data.list[0]: undefined'],
    ['a BigInt that a number spells', { n: 10n }, 'data.n: the BigInt 10'],
    ['a cycle', cycle, 'data.list[0].back: a cycle'],
    ['a Map', { m: new Map([[1, 2]]) }, 'data.m: a Map'],
    ['a Set', { s: new Set([1]) }, 'data.s: a Set'],
    ['an Error', { e: new Error('x') }, 'data.e: a Error'],
    ['bytes', { b: Buffer.from('x') }, 'data.b: bytes'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'data.at: an invalid Date'],
    [
      'NaN out of toJSON',
      {
        a: new (class {
          toJSON() {
            return { n: Number.NaN };
          }
        })(),
      },
      'data.a.n: NaN',
    ],
    [
      'half a surrogate pair',
      { list: ['ok', 'x\ud800'] },
      'data.list[1]: the text holds half a surrogate pair',
    ],
    [
      'half a surrogate pair in a name',
      { 'x\udc00': 1 },
      'data["x\\udc00"]: the name holds half a surrogate pair',
    ],
    [
      'a field named __proto__',
      JSON.parse('{"a":{"__proto__":{"admin":true}}}') as Record<string, unknown>,
      'data.a.__proto__: the name',
    ],
    ['a name of the envelope', { tenant_id: 't' }, 'data.tenant_id: the name belongs to the envelope'],
    ['more than 100 levels', { deep: nested(100) }, 'more than 100'],
  ])('%s', (_, data, message) => {
    const error = thrownBy(() => jsonCodec.encode(sampleEvent({ data })));
    expect(error.code).toBe('SERIALIZATION');
    expect(error.message).toContain(message);
  });

  it.each<[string, Partial<DomainEvent> | Record<string, unknown>, string]>([
    ['data that is a list', { data: [] }, 'data: must be a plain object'],
    ['data that is null', { data: null }, 'data: must be a plain object'],
    ['data that is an instance', { data: new (class Order {})() }, 'data: must be a plain object'],
    ['metadata with a Map', { metadata: { m: new Map() } }, 'metadata.m: a Map'],
    ['no metadata', { metadata: undefined }, 'metadata: must be a plain object'],
    ['an empty event id', { eventId: '' }, 'eventId: must be a text'],
    ['a numeric aggregate id', { aggregateId: 7 }, 'aggregateId: must be a text'],
    ['half a surrogate pair in an id', { aggregateId: 'x\udfff' }, 'aggregateId: the text holds half'],
    ['version 0', { eventVersion: 0 }, 'eventVersion: must be a whole number from 1'],
    [
      'a broken aggregate version',
      { aggregateVersion: 1.5 },
      'aggregateVersion: must be a whole number from 1',
    ],
    ['an invalid Date', { occurredAt: new Date(Number.NaN) }, 'occurredAt: must be a valid Date'],
    ['a text as the time', { occurredAt: '2026-01-02T03:04:05Z' }, 'occurredAt: must be a valid Date'],
    ['the year 10000', { occurredAt: new Date(Date.UTC(10_000, 0, 1)) }, 'occurredAt: must be a valid Date'],
  ])('%s', (_, changes, message) => {
    const error = thrownBy(() => jsonCodec.encode({ ...sampleEvent(), ...changes } as DomainEvent));
    expect(error.code).toBe('SERIALIZATION');
    expect(error.message).toContain(message);
  });

  it('a getter that throws, and one value shared a billion times', () => {
    const hostile = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no entry');
      },
    });
    expect(thrownBy(() => jsonCodec.encode(sampleEvent({ data: { hostile } })))).toMatchObject({
      code: 'SERIALIZATION',
      message: expect.stringContaining('no entry'),
    });
    let shared: unknown = 'lol';
    for (let level = 0; level < 30; level++) shared = [shared, shared];
    expect(thrownBy(() => jsonCodec.encode(sampleEvent({ data: { shared } })))).toMatchObject({
      code: 'SERIALIZATION',
      message: expect.stringContaining('1000000 values'),
    });
  });
});

describe('reading bodies', () => {
  it('puts unknown fields into data', () => {
    expect(jsonCodec.decode(withRaw('"position":7,"event_position":8')).data).toEqual({
      position: 7,
      event_position: 8,
    });
  });

  it('takes fields in any order', () => {
    const reversed = Object.fromEntries(Object.entries(JSON.parse(bodyOf({ total: 1 })) as object).reverse());
    expect(jsonCodec.decode(bytesOf(JSON.stringify(reversed)))).toEqual(
      jsonCodec.decode(bytesOf(bodyOf({ total: 1 }))),
    );
  });

  it('fills in what has a natural value', () => {
    const {
      event_version,
      aggregate_version,
      metadata,
      correlation_id,
      tenant_id,
      actor_id,
      causation_id,
      ...rest
    } = JSON.parse(bodyOf()) as Record<string, unknown>;
    const event = jsonCodec.decode(bytesOf(JSON.stringify(rest)));
    expect(event).toMatchObject({
      eventVersion: 1,
      aggregateVersion: 1,
      metadata: {},
      correlationId: event.eventId,
      data: {},
    });
    expect([
      event_version,
      aggregate_version,
      metadata,
      correlation_id,
      tenant_id,
      actor_id,
      causation_id,
    ]).not.toContain(undefined);
    expect(Object.keys(event)).not.toContain('tenantId');
  });

  it.each<[string, string]>([
    ['event_id', 'missing'],
    ['event_type', 'missing'],
    ['occurred_at', 'missing'],
    ['aggregate_id', 'missing'],
    ['aggregate_type', 'missing'],
  ])('names %s when it is missing or of another type', (name) => {
    for (const value of [undefined, null, '', 7, {}, ['x']]) {
      const error = thrownBy(() => jsonCodec.decode(bytesOf(bodyOf({ [name]: value }))));
      expect(error).toMatchObject({ code: 'DESERIALIZATION', message: expect.stringContaining(name) });
    }
  });

  it.each<[string, unknown]>([
    ['event_version', 0],
    ['event_version', '1'],
    ['aggregate_version', 1.5],
    ['aggregate_version', 1e300],
    ['metadata', []],
    ['metadata', 'x'],
    ['correlation_id', 7],
    ['tenant_id', {}],
    ['actor_id', ''],
    ['causation_id', false],
    ['occurred_at', 'yesterday'],
  ])('names %s when it is %j', (name, value) => {
    expect(thrownBy(() => jsonCodec.decode(bytesOf(bodyOf({ [name]: value }))))).toMatchObject({
      code: 'DESERIALIZATION',
      message: expect.stringContaining(name),
    });
  });

  it.each<[string, Uint8Array]>([
    ['no bytes', bytesOf('')],
    ['no JSON', bytesOf('{"event_id":')],
    ['a list', bytesOf('[]')],
    ['null', bytesOf('null')],
    [
      'bytes that are not UTF-8',
      Buffer.concat([
        Buffer.from(bodyOf().slice(0, -1)),
        Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      ]),
    ],
    ['10,000 lists inside each other', withRaw(`"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}`)],
    ['10,000 objects inside each other', withRaw(`"deep":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
    ['deep metadata', bytesOf(bodyOf({ metadata: { deep: nested(100) } }))],
    ['a number that overflows', withRaw('"n":1e999')],
    ['__proto__ at the top', withRaw('"__proto__":{"admin":true}')],
    ['__proto__ inside', withRaw('"a":[{"__proto__":{"admin":true}}]')],
    ['__proto__ in disguise', withRaw('"a":{"\\u005f_proto__":{"admin":true}}')],
  ])('refuses %s', (_, bytes) => {
    expect(thrownBy(() => jsonCodec.decode(bytes)).code).toBe('DESERIALIZATION');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('reads 100,000 fields, and a text of a million characters beside a big integer', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `"k${index}":${index}`).join(',');
    expect(Object.keys(jsonCodec.decode(withRaw(`"many":{${many}}`)).data.many as object)).toHaveLength(
      100_000,
    );
    const { long, n } = jsonCodec.decode(
      withRaw(`"long":"${'\\\\x'.repeat(300_000)}","n":9007199254740993`),
    ).data;
    expect([(long as string).length, n]).toEqual([600_000, 9007199254740993n]);
  });

  it('reads a part of a larger buffer', () => {
    const body = Buffer.from(bodyOf({ total: 1 }));
    const around = Buffer.concat([Buffer.from('xxx'), body, Buffer.from('yyy')]);
    const view = new Uint8Array(around.buffer, around.byteOffset + 3, body.length);
    expect(jsonCodec.decode(view).data).toEqual({ total: 1 });
  });

  it('gives an event or a DESERIALIZATION error for any bytes', () => {
    const hostileBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map(bytesOf),
      fc
        .dictionary(
          fc.constantFrom(
            'event_id',
            'event_type',
            'occurred_at',
            'aggregate_id',
            'metadata',
            'event_version',
            'x',
          ),
          fc.jsonValue(),
        )
        .map((fields) => bytesOf(bodyOf(fields))),
      fc.tuple(fc.nat(400), fc.nat(255)).map(([at, byte]) => {
        const bytes = Buffer.from(bodyOf({ total: 1.5 }));
        bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(hostileBytes, (bytes) => {
        try {
          const event = jsonCodec.decode(bytes);
          expect(typeof event.eventId).toBe('string');
          expect(jsonCodec.decode(jsonCodec.encode(event))).toStrictEqual(event);
        } catch (error) {
          if (!isBusError(error)) throw error;
          // What was read may hold half a surrogate pair, by an escape; that is the one thing that cannot be written again.
          expect(['DESERIALIZATION', 'SERIALIZATION']).toContain(error.code);
          if (error.code === 'SERIALIZATION') expect(error.message).toContain('half a surrogate pair');
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('messages that eventsource-py 0.15.1 wrote', () => {
  it('are there for all three brokers', () => {
    expect(new Set(recorded().map(({ name }) => name.split('/')[0]))).toEqual(
      new Set(['kafka', 'redis', 'rabbitmq']),
    );
    expect(recorded()).toHaveLength(16);
  });

  it.each(recorded())('$name is read whole', ({ body, headers, key }) => {
    const event = jsonCodec.decode(bytesOf(body));
    const wire = JSON.parse(body) as Record<string, unknown>;
    expect(event).toMatchObject({
      eventId: wire.event_id,
      eventType: headers.event_type,
      eventVersion: 1,
      aggregateId: key,
      aggregateVersion: wire.aggregate_version,
      metadata: wire.metadata,
      data: { customer: wire.customer, total: wire.total, note: wire.note },
    });
    expect(event.occurredAtExact ?? event.occurredAt.toISOString().replace('.000Z', 'Z')).toBe(
      wire.occurred_at,
    );
  });

  it.each(recorded())('$name comes out byte for byte when it is published again', ({ body }) => {
    // JSON has no place for the difference of 0.0 and 0: the one known difference.
    expect(textOf(jsonCodec.decode(bytesOf(body)))).toBe(body.replace('"total":0.0', '"total":0'));
  });
});

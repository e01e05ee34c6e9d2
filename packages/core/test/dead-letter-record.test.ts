import fc from 'fast-check';

import { jsonCodec } from '../src/codec.js';
import {
  type DeadLetterSource,
  deadLetterRecord,
  parseDeadLetter,
  replayRecord,
} from '../src/dead-letter-record.js';
import type { DeadLetterReason } from '../src/event-bus.js';
import { partitionOf } from '../src/partition.js';
import type {
  HeaderValue,
  InboundHeaders,
  InboundRecord,
  OutboundRecord,
  StoredDeadLetter,
} from '../src/transport.js';
import { recorded } from './recorded.js';
import { sampleEvent } from './sample-event.js';

const NOW_MS = Date.parse('2026-11-23T23:20:35.110Z');
const event = sampleEvent();
const source: InboundRecord = {
  key: event.aggregateId,
  value: jsonCodec.encode(event),
  headers: {
    event_id: Buffer.from(event.eventId),
    event_type: 'OrderPlaced',
    signature: Uint8Array.of(0xff, 0x00, 0x80),
    tags: ['a', 'b'],
  },
  position: '42',
  timestampMs: NOW_MS - 5000,
  redelivered: false,
};
const letterOf = (changes: Partial<DeadLetterSource> = {}): OutboundRecord =>
  deadLetterRecord({
    source,
    destination: 'events.stream',
    partition: 3,
    group: 'billing',
    reason: 'max-retries',
    error: new TypeError('handler says no'),
    attempts: 4,
    nowMs: NOW_MS,
    includeStack: false,
    maxBodyBytes: Number.MAX_SAFE_INTEGER,
    ...changes,
  });
const stored = (
  { key, value, headers, timestampMs }: Pick<OutboundRecord, 'key' | 'value' | 'headers' | 'timestampMs'>,
  id = 'dl-1',
): StoredDeadLetter => ({
  id,
  record: { key, value, headers, position: '7', timestampMs, redelivered: false },
});
const parsed = (changes: Partial<DeadLetterSource> = {}) =>
  parseDeadLetter(stored(letterOf(changes)), jsonCodec, 1_000_000);
const inboundOf = (record: OutboundRecord): InboundRecord => stored(record).record;

describe('the record of a dead letter', () => {
  it('has the key and the bytes as they came, and the headers too', () => {
    const letter = letterOf();
    expect(letter.key).toBe(source.key);
    expect(letter.value).toBe(source.value);
    for (const [name, value] of Object.entries(source.headers)) expect(letter.headers[name]).toBe(value);
  });

  it('says what happened, in the words of eventsource-py and in ours', () => {
    const {
      signature: _,
      tags: __,
      event_id: ___,
      event_type: ____,
      ...report
    } = letterOf({ handler: 'sendInvoice', firstFailedAtMs: NOW_MS - 1000 }).headers;
    expect(report).toEqual({
      dlq_reason: 'max_retries_exceeded',
      dlq_error_type: 'TypeError',
      dlq_error_message: 'handler says no',
      dlq_retry_count: '3',
      dlq_attempts: '4',
      dlq_timestamp: '2026-11-23T23:20:35.110000+00:00',
      dlq_original_topic: 'events.stream',
      dlq_original_partition: '3',
      dlq_original_offset: '42',
      dlq_consumer_group: 'billing',
      dlq_handler: 'sendInvoice',
      dlq_first_failed_at: '2026-11-23T23:20:34.110000+00:00',
    });
  });

  it('has every header that eventsource-py writes', () => {
    const names = Object.keys(recorded('kafka/dlq')[0]?.headers ?? {}).filter((name) =>
      name.startsWith('dlq_'),
    );
    expect(names).toHaveLength(9);
    expect(Object.keys(letterOf().headers)).toEqual(expect.arrayContaining(names));
  });

  it('replaces what an earlier life as a dead letter left, but for the count of replays', () => {
    const headers = {
      ...source.headers,
      dlq_reason: 'crash',
      dlq_handler: 'old',
      dlq_replay_count: '2',
      'x-dlq-reason': 'old',
    };
    const letter = letterOf({ source: { ...source, headers } });
    expect(letter.headers).toMatchObject({ dlq_reason: 'max_retries_exceeded', dlq_replay_count: '2' });
    expect(Object.keys(letter.headers)).not.toEqual(expect.arrayContaining(['dlq_handler']));
    expect(Object.keys(letter.headers)).not.toEqual(expect.arrayContaining(['x-dlq-reason']));
  });

  it('cuts a long message at 1,000 characters without halving one', () => {
    const message = `${'x'.repeat(999)}😀${'y'.repeat(500)}`;
    const cut = String(letterOf({ error: new Error(message) }).headers.dlq_error_message);
    expect(cut).toHaveLength(1000);
    expect(Buffer.from(cut, 'utf8').toString('utf8')).toBe(cut);
  });

  it('stores the stack only on request', () => {
    const error = new Error('x');
    expect(Object.keys(letterOf({ error }).headers)).not.toContain('dlq_error_stack');
    expect(letterOf({ error, includeStack: true }).headers.dlq_error_stack).toBe(error.stack);
  });

  it('exists for a record without key, body and headers', () => {
    const letter = letterOf({
      source: { ...source, key: undefined, value: null, headers: {} },
      reason: 'deserialization',
      attempts: 0,
    });
    expect(letter).toMatchObject({
      key: undefined,
      event: { eventId: '', eventType: '', aggregateVersion: 0, occurredAt: '' },
    });
    expect(letter.value).toHaveLength(0);
    expect(letter.headers.dlq_retry_count).toBe('0');
  });

  it('takes the attributes from the event, else from the headers', () => {
    expect(letterOf({ event }).event).toMatchObject({
      aggregateId: event.aggregateId,
      aggregateVersion: 1,
      occurredAt: '2026-01-02T03:04:05.678000Z',
    });
    expect(letterOf().event).toMatchObject({
      eventId: event.eventId,
      eventType: 'OrderPlaced',
      aggregateId: '',
    });
    const spoilt = { ...event, occurredAt: new Date(Number.NaN) };
    expect(letterOf({ event: spoilt }).event).toMatchObject({ eventId: event.eventId, occurredAt: '' });
  });
});

describe('a dead letter, read back', () => {
  it('has everything that was written', () => {
    expect(parsed({ handler: 'sendInvoice', firstFailedAtMs: NOW_MS - 1000, includeStack: true })).toEqual({
      id: 'dl-1',
      group: 'billing',
      reason: 'max-retries',
      event,
      eventId: event.eventId,
      eventType: 'OrderPlaced',
      raw: source.value,
      key: event.aggregateId,
      headers: { event_id: event.eventId, event_type: 'OrderPlaced', signature: 'base64:/wCA', tags: 'b' },
      errorType: 'TypeError',
      errorMessage: 'handler says no',
      errorStack: expect.stringContaining('TypeError: handler says no') as unknown,
      handler: 'sendInvoice',
      attempts: 4,
      firstFailedAt: new Date(NOW_MS - 1000),
      deadLetteredAt: new Date(NOW_MS),
      source: { destination: 'events.stream', partition: 3, position: '42' },
      replayCount: 0,
    });
  });

  it.each<DeadLetterReason>([
    'max-retries',
    'non-retryable',
    'deserialization',
    'validation',
    'unknown-type',
    'crash',
  ])('has the reason %s', (reason) => {
    expect(parsed({ reason }).reason).toBe(reason);
  });

  it('has the raw bytes of what is no event', () => {
    const value = Uint8Array.of(0, 1, 2, 0xff);
    const letter = parsed({ source: { ...source, value }, reason: 'deserialization', attempts: 0 });
    expect(letter.raw).toBe(value);
    expect(letter).not.toHaveProperty('event');
    expect(letter).toMatchObject({ eventId: event.eventId, eventType: 'OrderPlaced', attempts: 0 });
  });

  it.each(recorded('kafka/dlq'))(
    'is understood when eventsource-py wrote it: $name',
    ({ body, headers, key }) => {
      const letter = parseDeadLetter(
        stored({ key, value: Buffer.from(body), headers, timestampMs: 5 }),
        jsonCodec,
        1_000_000,
      );
      expect(letter).toMatchObject({
        group: 'billing',
        reason: 'max-retries',
        errorType: 'ValueError',
        errorMessage: 'handler says no',
        attempts: 2,
        replayCount: 0,
        source: { destination: 'events.stream', partition: 3, position: headers.dlq_original_offset },
        event: { eventId: headers.event_id },
      });
      expect(letter.deadLetteredAt.toISOString()).toBe(`${headers.dlq_timestamp?.slice(0, 23)}Z`);
      expect(Object.keys(letter.headers).filter((name) => name.startsWith('dlq_'))).toEqual([]);
    },
  );

  it.each([...recorded('rabbitmq/dlq'), ...recorded('redis/events:stream_dlq')])(
    'is understood when eventsource-py wrote it: $name',
    ({ name, body, headers, key }) => {
      const letter = parseDeadLetter(
        stored({ key, value: Buffer.from(body), headers, timestampMs: 5 }),
        jsonCodec,
        1_000_000,
      );
      const isRabbit = name.startsWith('rabbitmq');
      expect(letter).toMatchObject({
        reason: 'max-retries',
        errorMessage: isRabbit ? 'handler says no' : '',
        attempts: isRabbit ? 2 : 1,
        event: { eventType: 'OrderPlaced' },
        source: { position: headers.original_message_id ?? '' },
      });
      expect(letter.deadLetteredAt.getUTCFullYear()).toBe(2026);
    },
  );

  it('is neutral where nothing was written, or nonsense', () => {
    const nothing = { key: undefined, value: Buffer.from('x'), timestampMs: 5 };
    const neutral = {
      group: '',
      reason: 'unknown',
      errorType: '',
      errorMessage: '',
      attempts: 0,
      replayCount: 0,
      deadLetteredAt: new Date(5),
      source: { destination: '', partition: -1, position: '' },
    };
    expect(parseDeadLetter(stored({ ...nothing, headers: {} }), jsonCodec, 1_000_000)).toMatchObject(neutral);
    const nonsense = {
      dlq_attempts: 'abc',
      dlq_retry_count: '-1',
      dlq_replay_count: '1e9',
      dlq_timestamp: 'now',
      dlq_original_partition: '3.5',
    };
    expect(parseDeadLetter(stored({ ...nothing, headers: nonsense }), jsonCodec, 1_000_000)).toMatchObject(
      neutral,
    );
    expect(
      parseDeadLetter(
        stored({ ...nothing, headers: { dlq_reason: 'republish_failed' }, timestampMs: Number.NaN }),
        jsonCodec,
        1_000_000,
      ),
    ).toMatchObject({
      reason: 'republish_failed',
      deadLetteredAt: new Date(0),
    });
  });

  it('never throws, and can always be replayed', () => {
    const headerValue: fc.Arbitrary<HeaderValue> = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.array(fc.oneof(fc.string(), fc.uint8Array())),
      fc.constant(undefined),
    );
    const names = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...Object.keys(letterOf().headers),
        'dlq_replay_count',
        'x-dlq-reason',
        'original_message_id',
        '__proto__',
        'constructor',
      ),
    );
    const letter = fc.record({
      key: fc.option(fc.string(), { nil: undefined }),
      value: fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => Buffer.from(json)),
      ),
      headers: fc.dictionary(names, headerValue) as fc.Arbitrary<InboundHeaders>,
      timestampMs: fc.double(),
    });
    fc.assert(
      fc.property(letter, (any) => {
        const read = parseDeadLetter(stored(any), jsonCodec, 1_000_000);
        expect(Number.isNaN(read.deadLetteredAt.getTime())).toBe(false);
        expect(Number.isSafeInteger(read.attempts) && Number.isSafeInteger(read.replayCount)).toBe(true);
        const replay = replayRecord(stored(any), 'g', 8);
        expect(replay.partition >= 0 && replay.partition < 8).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the record of a replay', () => {
  it('is the event as it was, for the one group, counted, in the partition of its key', () => {
    const replay = replayRecord(stored(letterOf()), 'billing', 12, { nowMs: NOW_MS, event });
    expect(replay).toMatchObject({
      key: source.key,
      partition: partitionOf(event.aggregateId, 12),
      timestampMs: NOW_MS,
      event: { aggregateType: 'Order' },
    });
    expect(replay.value).toBe(source.value);
    expect(replay.headers).toEqual({ ...source.headers, dlq_replay_count: '1', target_group: 'billing' });
  });

  it.each([...recorded('kafka/dlq'), ...recorded('rabbitmq/dlq'), ...recorded('redis/events:stream_dlq')])(
    'has nothing of the failed attempts: $name',
    ({ body, headers, key }) => {
      const replay = replayRecord(
        stored({ key, value: Buffer.from(body), headers, timestampMs: 5 }),
        'billing',
        8,
      );
      const names = [
        'event_id',
        'event_type',
        'aggregate_id',
        'aggregate_type',
        'aggregate_version',
        'occurred_at',
        'correlation_id',
        'causation_id',
        'tenant_id',
        'actor_id',
      ];
      expect([...names, 'dlq_replay_count', 'target_group']).toEqual(
        expect.arrayContaining(Object.keys(replay.headers)),
      );
    },
  );

  it('counts on through further lives, and changes the group it is for', () => {
    const once = replayRecord(stored(letterOf()), 'billing', 8);
    const again = letterOf({ source: inboundOf(once) });
    expect(parseDeadLetter(stored(again), jsonCodec, 1_000_000).replayCount).toBe(1);
    expect(replayRecord(stored(again), 'shipping', 8).headers).toMatchObject({
      dlq_replay_count: '2',
      target_group: 'shipping',
    });
  });

  it('of a record without a key goes where it came from, as far as that exists', () => {
    const letter = letterOf({ source: { ...source, key: undefined } });
    expect([
      replayRecord(stored(letter), 'g', 8).partition,
      replayRecord(stored(letter), 'g', 2).partition,
    ]).toEqual([3, 1]);
  });
});

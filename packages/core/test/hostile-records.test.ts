import { setImmediate as turn } from 'node:timers/promises';
import { jsonCodec } from '../src/codec.js';
import { deadLetterRecord, parseDeadLetter } from '../src/dead-letter-record.js';
import { headerText } from '../src/headers.js';
import type { InboundRecord } from '../src/transport.js';
import { closeEngines, handEngine, NO_JOURNALS, recordOf } from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

const inbound = (changes: Partial<InboundRecord>): InboundRecord => ({
  key: 'k',
  value: Buffer.from('no event'),
  headers: {},
  position: '0',
  timestampMs: 0,
  redelivered: false,
  ...changes,
});

const letterOf = (source: InboundRecord, maxBodyBytes = 1_000) =>
  deadLetterRecord({
    source,
    destination: 'events',
    partition: 0,
    group: 'billing',
    reason: 'deserialization',
    error: new Error('no'),
    attempts: 0,
    nowMs: 1,
    includeStack: false,
    maxBodyBytes,
  });

describe('the dead letter of a hostile record', () => {
  it('keeps of a body that the broker would not take again the beginning, and says how long it was', () => {
    const value = Buffer.alloc(5_000, 'x');
    const letter = letterOf(inbound({ value }));
    expect(Buffer.from(letter.value)).toEqual(value.subarray(0, 1_000));
    expect(letter.value.buffer).not.toBe(value.buffer);
    expect(headerText(letter.headers, 'dlq_body_bytes')).toBe('5000');
    expect(letterOf(inbound({ value: value.subarray(0, 1_000) })).headers.dlq_body_bytes).toBeUndefined();
  });

  it('has so many headers that it can be written, and says how many it lacks', () => {
    const headers = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`h${n}`, 'x']));
    const letter = letterOf(
      inbound({ headers: { ...headers, large: 'x'.repeat(300_000), list: ['a', 'b'] } }),
    );
    expect(Object.keys(letter.headers).length).toBeLessThan(1_020);
    expect(letter.headers).toMatchObject({ h0: 'x', h999: 'x', dlq_headers_left_out: '2002' });
  });

  it('has no key that is longer than any bus writes', () => {
    expect(letterOf(inbound({ key: 'x'.repeat(65_537) })).key).toBeUndefined();
    expect(letterOf(inbound({ key: 'x'.repeat(65_536) })).key).toHaveLength(65_536);
  });

  it('says what its group says, whatever the record said before', () => {
    const forged = {
      dlq_consumer_group: 'other',
      dlq_body_bytes: '9',
      'x-dlq-reason': 'no',
      dlq_reason: 'no',
    };
    const { headers } = letterOf(inbound({ headers: forged }));
    expect(headers).toMatchObject({ dlq_consumer_group: 'billing', dlq_reason: 'deserialization_error' });
    expect(headers.dlq_body_bytes ?? headers['x-dlq-reason']).toBeUndefined();
  });

  it('is not parsed when its size is what made it one', () => {
    const value = jsonCodec.encode({ ...event(), data: { text: 'x'.repeat(2_000) } });
    const stored = { id: '1', record: inbound({ value }) };
    const letter = parseDeadLetter(stored, jsonCodec, 1_000);
    expect([letter.event, letter.raw]).toEqual([undefined, value]);
    expect(parseDeadLetter(stored, jsonCodec, 10_000).event).toBeDefined();
  });
});

describe('records that are larger than an event may be', () => {
  const large = (n: number): InboundRecord => recordOf(n, `k${n}`, { value: Buffer.alloc(10_000) });

  it('count as many: the memory that waits is bounded in bytes', async () => {
    const { assign } = handEngine({ maxEventBytes: 1_000, maxInFlight: 20, concurrency: 2 }, () => undefined);
    const { lane, port } = assign(0);
    lane.deliver([large(0), large(1)]);
    expect(port.paused).toBe(false);
    lane.deliver([large(2)]);
    expect(port.paused).toBe(true);
    await lane.open(NO_JOURNALS);
    await until('all dead letters', () => port.letters.length === 3);
    await until('the resumption', () => !port.paused);
  });

  it('are taken in hand so that together they stay within what is in flight, one at least', async () => {
    const options = { maxEventBytes: 1_000, maxInFlight: 15, concurrency: 15 };
    const { assign, stats } = handEngine(options, () => undefined);
    const { lane, port } = assign(0);
    const release: (() => void)[] = [];
    port.writing = () => new Promise((resolve) => release.push(resolve));
    await lane.open(NO_JOURNALS);
    lane.deliver([large(0), large(1), large(2), recordOf(3, 'k3')]);
    await turn();
    // The second one goes beyond; nothing comes after it.
    expect(stats.inFlight).toBe(2);
    for (let n = 0; n < 3; n += 1) {
      await until('a dead letter under way', () => release.length > n);
      release[n]?.();
    }
    await until('all', () => port.settledPositions.length === 4);
    // Nothing of their size is held against what comes later.
    lane.deliver(Array.from({ length: 15 }, (_, n) => recordOf(4 + n, `k${n}`)));
    await until('the others', () => port.settledPositions.length === 19);
  });
});

function event(): ReturnType<typeof jsonCodec.decode> {
  return jsonCodec.decode(recordOf(0, 'k').value as Uint8Array);
}

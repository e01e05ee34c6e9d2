import { jsonCodec } from '../../src/codec.js';
import type { InboundRecord } from '../../src/transport.js';
import type { Random } from '../random.js';
import { recorded } from '../recorded.js';
import { sampleEvent } from '../sample-event.js';
import { anyBytes, hostileBytes } from './hostile-bytes.js';
import { hostileHeaders } from './hostile-headers.js';
import { hostileJson } from './hostile-json.js';

/** What the mutations start from: messages of another language, and ours. */
const VALID = [
  ...recorded().filter(({ body }) => body.startsWith('{')),
  ...[
    sampleEvent(),
    sampleEvent({
      occurredAtExact: '2026-01-02T03:04:05.678901Z',
      tenantId: 't',
      actorId: 'a',
      causationId: 'c',
      metadata: { trace: { deep: [1, 2, { three: -0 }] } },
      data: { big: 12345678901234567890n, list: [null, true, 'text', 1.5], unicode: '\u{1f600}' },
    }),
  ].map((event) => ({
    body: Buffer.from(jsonCodec.encode(event)).toString(),
    headers: { event_id: event.eventId, event_type: event.eventType } as Readonly<Record<string, string>>,
    key: event.aggregateId,
  })),
];

/** One record as nobody should send it. Everything of it comes from `random`. */
export function hostileRecord(random: Random): InboundRecord {
  const { body, headers, key } = random.pick(VALID);
  return {
    key: random.oneIn(5) ? random.pick([undefined, '', '\ud800', 'k'.repeat(2_000), '__proto__']) : key,
    value: hostileValue(random, body),
    headers: hostileHeaders(random, headers),
    position: random.pick(['42', '', '1700000000000-0', '\ud800']),
    timestampMs: random.pick([undefined, 0, -1, 1_700_000_000_000, 1e300, Number.NaN]),
    redelivered: random.oneIn(2),
  };
}

function hostileValue(random: Random, body: string): Uint8Array | null {
  switch (random.upTo(9)) {
    case 0:
      return random.oneIn(4) ? null : anyBytes(random, 200);
    case 1:
      return Buffer.from(body);
    case 2:
    case 3:
      return hostileBytes(random, Buffer.from(body));
    case 4:
      return hostileBytes(random, Buffer.from(hostileJson(random, body)));
    default:
      return Buffer.from(hostileJson(random, body));
  }
}

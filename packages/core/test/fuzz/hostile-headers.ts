import { HEADER } from '../../src/headers.js';
import type { InboundHeaders } from '../../src/transport.js';
import type { Random } from '../random.js';
import { anyBytes } from './hostile-bytes.js';

const NAMES = [
  ...Object.values(HEADER),
  'traceparent',
  'tracestate',
  'baggage',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '',
  'x-death',
  'x-retry-\ud800',
  'signature',
];
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';
const TEXTS = [
  `00-${TRACE}-01`,
  `00-${TRACE}-01-more`,
  `ff-${TRACE}-01`,
  `cc-${TRACE}-00-more`,
  `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`,
  `00-${TRACE.toUpperCase()}-01`,
  `00-${TRACE}`,
  'a=1,b=2;c,=,d=%',
  '__proto__=1,constructor=2',
  '%E0%A4%A=1',
  `${'k=v,'.repeat(200)}`,
  'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
  '',
  '\ud800',
  'line\r\nbreak: yes',
  '-1',
  '999999999999999999999',
  '1e9',
  '12',
  '2026-01-02T03:04:05+00:00',
  'max_retries_exceeded',
  '__proto__',
  'application/json; charset=utf-8',
  'application/x-other',
  'billing',
];

/** Headers as no client should give them, and some do. */
export function hostileHeaders(random: Random, headers: Readonly<Record<string, string>>): InboundHeaders {
  const entries: [string, unknown][] = random.oneIn(3) ? [] : Object.entries(headers);
  for (let more = random.upTo(5); more > 0; more -= 1)
    entries.push([random.pick(NAMES), hostileValue(random)]);
  const made = Object.fromEntries(entries);
  return (random.oneIn(4) ? Object.assign(Object.create(null), made) : made) as InboundHeaders;
}

function hostileValue(random: Random, depth = 0): unknown {
  switch (random.upTo(depth === 0 ? 9 : 7)) {
    case 0:
    case 1:
    case 2:
      return random.pick(TEXTS);
    case 3:
      return Buffer.from(random.pick(TEXTS));
    case 4:
      return anyBytes(random, 40);
    case 5:
      return random.pick<unknown>([0, -0, 1.5, Number.NaN, 2 ** 53, true, false, null, undefined, 7n]);
    case 6:
      return random.pick<unknown>([
        {},
        { toString: null },
        { '!': 'timestamp', value: 1 },
        new Date(Number.NaN),
        Object.create(null),
        Symbol.iterator,
        () => 'called',
      ]);
    case 7:
      return 't'.repeat(random.upTo(2_000));
    default:
      return Array.from({ length: random.upTo(4) }, () => hostileValue(random, depth + 1));
  }
}

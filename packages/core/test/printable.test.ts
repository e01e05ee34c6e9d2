import { inspect } from 'node:util';
import { jsonCodec } from '../src/codec.js';
import { BusError, busErrorOf, ConfigurationError, NonRetryableError } from '../src/errors.js';
import { printable, quoted } from '../src/printable.js';
import { thrownBy } from './sample-event.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]/;
const HOSTILE = 'a\r\nFATAL b\u001b[2J\u0000\u007f\u0085\u009b31m\u2028\u2029\u202e\u2066z';

describe('texts of others', () => {
  it('are shown in one line, and drive no terminal', () => {
    expect(printable('a\n\u001b[31m')).toBe('a\\u000a\\u001b[31m');
    expect(printable('ключ 鍵 🦀 "x" \\')).toBe('ключ 鍵 🦀 "x" \\');
    expect(printable('\ud800')).toBe('\\ud800');
    expect(printable(printable(HOSTILE))).toBe(printable(HOSTILE));
    for (const text of [printable(HOSTILE), quoted(HOSTILE)]) expect(text).not.toMatch(DANGEROUS);
    expect(quoted('x'.repeat(200))).toBe(`"${'x'.repeat(100)}…"`);
  });

  it('are in no message, stack or cause of an error as they came', () => {
    const errors = [
      new BusError('BROKER', HOSTILE),
      new NonRetryableError(HOSTILE),
      busErrorOf(new BusError('BROKER', HOSTILE), 'x'),
      thrownBy(() => jsonCodec.decode(Buffer.from(HOSTILE))),
      thrownBy(() => jsonCodec.decode(Buffer.from(JSON.stringify({ [HOSTILE]: { __proto__x: 1 } })))),
      thrownBy(() => jsonCodec.decode(Buffer.from(`{${JSON.stringify(HOSTILE)}:{"x":1e999}}`))),
    ];
    for (const error of errors) {
      expect(error.message).not.toMatch(DANGEROUS);
      for (const line of inspect(error).split('\n')) expect(line).not.toMatch(DANGEROUS);
      expect(inspect(error)).not.toMatch(/^FATAL/m);
    }
  });

  it('leave a problem of the configuration its line, and no more', () => {
    const error = new ConfigurationError([
      { path: 'a', message: 'bad\nworse' },
      { path: 'b', message: 'bad' },
    ]);
    expect(error.message).toBe('Invalid configuration:\n  - a: bad\\u000aworse\n  - b: bad');
    expect(error.stack).toContain(error.message);
  });
});

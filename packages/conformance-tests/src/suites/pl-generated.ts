import { createEvent, type DomainEvent } from '@omnibus/core';

import { randomFrom } from './support.js';

const MAX_DEPTH = 4;
const TEXT_ALPHABET = [
  'a',
  'Z',
  '0',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\u0000',
  '\u007f',
  'é',
  'e\u0301',
  '東',
  '🚀',
  '\u2028',
  '<',
  '&',
];

/** Events of every shape that the codec says it carries, the same for the same seed. */
export function generatedEvents(count: number, seed: number): readonly DomainEvent[] {
  const random = randomFrom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const text = (max: number): string =>
    Array.from({ length: below(max + 1) }, () => TEXT_ALPHABET[below(TEXT_ALPHABET.length)]).join('');
  const number = (): number => {
    const kinds = [
      () => below(2 ** 31) - 2 ** 30,
      () => (random() - 0.5) * 10 ** (below(600) - 300),
      () => Math.floor((random() - 0.5) * 2 * Number.MAX_SAFE_INTEGER),
      () => (below(2) === 0 ? -0 : 0),
    ];
    return kinds[below(kinds.length)]?.() ?? 0;
  };
  const object = (depth: number): Record<string, unknown> =>
    // Prefixed: a generated name must be none of the envelope's.
    Object.fromEntries(Array.from({ length: below(5) }, (_, n) => [`f${n}${text(3)}`, value(depth + 1)]));
  const value = (depth: number): unknown => {
    const kinds: (() => unknown)[] = [
      () => null,
      () => below(2) === 0,
      number,
      () => text(12),
      () => 2n ** 53n + BigInt(below(1_000_000)) * 2n + 1n,
    ];
    if (depth < MAX_DEPTH)
      kinds.push(
        () => Array.from({ length: below(4) }, () => value(depth + 1)),
        () => object(depth),
      );
    return kinds[below(kinds.length)]?.();
  };
  const optional = (name: string): Record<string, string> =>
    below(2) === 0 ? {} : { [name]: `${name}-${text(5)}` };
  return Array.from({ length: count }, (_, n) =>
    createEvent({
      eventType: `Generated${below(20)}`,
      eventVersion: 1 + below(9),
      aggregateId: `generated-${below(50)}-${text(4)}`,
      aggregateType: 'Generated',
      aggregateVersion: n + 1,
      occurredAt: new Date(
        Date.UTC(2000 + below(50), below(12), 1 + below(28), below(24), below(60), below(60), below(1_000)),
      ),
      ...optional('tenantId'),
      ...optional('actorId'),
      ...optional('causationId'),
      metadata: object(0),
      data: object(0),
    }),
  );
}

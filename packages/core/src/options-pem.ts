import { readFileSync } from 'node:fs';

import { matching, type Place, type Rule, secretText } from './options-rules.js';
import { Secret } from './secret.js';

const PEM = /-----BEGIN /;

/** PEM text or its bytes, or the path of a PEM file, which is read at once: one that cannot be read is a wrong option. */
export function pemText(): Rule<string | undefined> {
  const given = matching('text', (value): value is string => typeof value === 'string');
  return {
    resolve: (value, place) => {
      const source = given.resolve(textOf(value), place);
      return source === undefined ? undefined : contentOf(source, place);
    },
  };
}

/** As `pemText`, never printed; resolves to a `Secret`. */
export function secretPemText(): Rule<Secret | undefined> {
  const given = secretText();
  return {
    resolve: (value, place) => {
      const source = given.resolve(textOf(value), place)?.reveal();
      const content = source === undefined ? undefined : contentOf(source, place);
      return content === undefined ? undefined : new Secret(content);
    },
  };
}

/** As `readFileSync` gives it. */
function textOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
}

function contentOf(source: string, place: Place): string | undefined {
  if (PEM.test(source)) return source;
  const content = readPem(source);
  if (content === undefined)
    place.report(place.path, 'must be PEM text or bytes, or the path of a PEM file that can be read');
  return content;
}

function readPem(path: string): string | undefined {
  try {
    const content = readFileSync(path, 'utf8');
    return PEM.test(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

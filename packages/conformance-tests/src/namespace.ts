import { randomBytes } from 'node:crypto';

/** Names that no other run on the same broker uses, in characters that every broker takes. */
export interface Namespaces {
  /** A new one. `hint` (an id) makes it readable on the broker. */
  next(hint: string): string;
  /** All that were given out. */
  readonly used: readonly string[];
}

/** Makes the names of one run: `ct-3f9a1c-or03-7`. */
export function createNamespaces(run: string = randomBytes(3).toString('hex')): Namespaces {
  const used: string[] = [];
  return {
    used,
    next(hint: string): string {
      const readable = hint
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, '')
        .slice(0, 12);
      const name = `ct-${run}-${readable}-${used.length + 1}`;
      used.push(name);
      return name;
    },
  };
}

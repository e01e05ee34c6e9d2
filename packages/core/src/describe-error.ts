import { isBusError } from './errors.js';

/** What can be said of anything that was thrown. */
export interface ErrorDescription {
  /** Class of the error; the code for a `BusError`; for other values what they are (`string`, `undefined`). */
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
}

/** Describes anything that can be thrown, also what throws when it is looked at. Never throws itself. */
export function describeError(error: unknown): ErrorDescription {
  if (error === null) return { type: 'null', message: 'null was thrown' };
  if (typeof error === 'string') return { type: 'string', message: error || 'an empty text was thrown' };
  if (typeof error !== 'object' && typeof error !== 'function')
    return { type: typeof error, message: `${String(error)} was thrown` };
  const stack = textOf(() => (error as { stack?: unknown }).stack);
  return { type: typeOf(error), message: messageOf(error), ...(stack === undefined ? {} : { stack }) };
}

function typeOf(error: object): string {
  const name = textOf(() => (error as { name?: unknown }).name);
  if (name !== undefined && name !== 'Error' && name !== 'BusError') return name;
  // These two names say little: the code of a `BusError`, or the class, says more.
  const code = textOf(() => (isBusError(error) ? error.code : undefined));
  return code ?? textOf(() => error.constructor.name) ?? name ?? 'object';
}

function messageOf(error: object): string {
  return (
    textOf(() => (error as { message?: unknown }).message) ??
    textOf(() => JSON.stringify(error)) ??
    'a value that cannot be described was thrown'
  );
}

/** The text that `read` gives, when it gives a text that is not empty. */
function textOf(read: () => unknown): string | undefined {
  try {
    const value = read();
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

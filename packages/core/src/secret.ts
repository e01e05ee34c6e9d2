const HIDDEN = '***';
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * A value that never shows: printing, logging, `JSON.stringify` and `util.inspect` give `***`. Only `reveal` gives it
 * away. Passwords, tokens and keys live in one of these from the moment the options are resolved.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
    Object.defineProperty(this, INSPECT, { value: () => HIDDEN });
    Object.freeze(this);
  }

  /** The value itself. Call it where the value is handed to the client, nowhere else. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }
}

/** Hides a value. A secret stays as it is. */
export function secret<T>(value: T | Secret<T>): Secret<T> {
  return value instanceof Secret ? value : new Secret(value);
}

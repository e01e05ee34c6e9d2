import { printable } from './printable.js';

/**
 * Every code an error of Omnibus can carry. Stable: match on `error.code`, never on a message.
 * `docs/errors.md` says of each what happened and what to do; a check keeps both in step.
 */
export const ERROR_CODES = [
  'CONFIGURATION',
  'BUS_CLOSED',
  'CONNECT',
  'CONNECTION_LOST',
  'TIMEOUT',
  'AUTHENTICATION',
  'AUTHORIZATION',
  'TLS',
  'SERIALIZATION',
  'DESERIALIZATION',
  'VALIDATION',
  'PAYLOAD_TOO_LARGE',
  'BACKPRESSURE',
  'PUBLISH_FAILED',
  'HANDLER_FAILED',
  'HANDLER_TIMEOUT',
  'NON_RETRYABLE',
  'UNKNOWN_EVENT_TYPE',
  'MAX_REPLAYS',
  'UNSUPPORTED',
  'BROKER',
  'FENCED',
] as const;

/** A stable error code. */
export type ErrorCode = (typeof ERROR_CODES)[number];

const BRAND: unique symbol = Symbol.for('omnibus.BusError');

/** How a `BusError` is made. */
export interface BusErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call may succeed when tried again. @default what the code says */
  readonly retryable?: boolean;
}

const RETRYABLE_BY_DEFAULT: ReadonlySet<ErrorCode> = new Set([
  'CONNECT',
  'CONNECTION_LOST',
  'TIMEOUT',
  'BACKPRESSURE',
  'HANDLER_TIMEOUT',
  'BROKER',
]);

/**
 * The one error type that leaves the bus. Recognise it with `isBusError`, which also works across two copies of the
 * package. Its message is one line whatever stands in the events and names that it tells of: control characters are
 * written as escapes, so that nobody who publishes can forge a line of a log.
 */
export class BusError extends Error {
  readonly code: ErrorCode;
  /** Whether the same call may succeed when tried again, without a change by a person. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: BusErrorOptions = {}) {
    super(printable(message), 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'BusError';
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE_BY_DEFAULT.has(code);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether `value` is a `BusError`, of this copy of the package or of another (an app may load both ESM and CJS). Never
 * throws, whatever was thrown.
 */
export function isBusError(value: unknown): value is BusError {
  try {
    return typeof value === 'object' && value !== null && (value as { [BRAND]?: true })[BRAND] === true;
  } catch {
    return false; // A proxy.
  }
}

/** One thing that is wrong with the options: where, what, and what would be right. */
export interface ConfigurationProblem {
  /** For example `retry.maxRetries`. */
  readonly path: string;
  readonly message: string;
}

/** Code `CONFIGURATION`: the options, or a topology on the broker that differs from them. Lists every problem found. */
export class ConfigurationError extends BusError {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[], options: BusErrorOptions = {}) {
    super('CONFIGURATION', 'Invalid configuration', options);
    this.name = 'ConfigurationError';
    // One line for each problem.
    const lines = problems.map(({ path, message }) => printable(`  - ${path}: ${message}`));
    this.message = [`${this.message}:`, ...lines].join('\n');
    // The stack begins with the message as it was before.
    Error.captureStackTrace(this, new.target);
    this.problems = problems;
  }
}

/** One event that a publish could not place, and why. */
export interface PublishFailure {
  /** Place in the array that was given to `publish`. */
  readonly index: number;
  readonly eventId: string;
  readonly error: BusError;
}

/**
 * A publish that did not place every event. `failures` lists exactly those whose acceptance the broker did not confirm;
 * of bad input, which keeps the whole call from being sent, it lists what was bad.
 * When the broker's answer was lost, such an event may be stored all the same: publish it again with the same `eventId`.
 * `code` is that of the failures when they agree, else `PUBLISH_FAILED`.
 */
export class PublishError extends BusError {
  readonly failures: readonly PublishFailure[];
  /**
   * How many events of the call the broker has confirmed: all that `failures` does not list, or none when bad input kept
   * the whole call from being sent. 0 says that the whole call may be published again.
   */
  readonly confirmed: number;

  constructor(failures: readonly PublishFailure[], total: number, confirmed: number) {
    const first = failures[0]?.error;
    const codes = new Set(failures.map((f) => f.error.code));
    super(
      codes.size === 1 && first ? first.code : 'PUBLISH_FAILED',
      `${total - confirmed} of ${total} events were not published: ${first?.message ?? 'no reason given'}`,
      { cause: first, retryable: failures.every((f) => f.error.retryable) },
    );
    this.name = 'PublishError';
    this.failures = failures;
    this.confirmed = confirmed;
  }
}

/** Thrown by a handler that knows that trying again is useless: the event is dead-lettered at once. Code `NON_RETRYABLE`. */
export class NonRetryableError extends BusError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super('NON_RETRYABLE', message, { ...options, retryable: false });
    this.name = 'NonRetryableError';
  }
}

/** Code `BUS_CLOSED`: the bus was shut down. Create a new one. */
export function busClosed(call: string): BusError {
  return new BusError('BUS_CLOSED', `${call}: the bus is shut down; create a new bus to go on`);
}

/** Code `UNSUPPORTED`: this transport cannot do it; `hint` says what would. */
export function unsupported(what: string, hint: string): BusError {
  return new BusError('UNSUPPORTED', `${what} is not supported: ${hint}`);
}

/**
 * `error` if it is a `BusError`; otherwise one with `code` that says what was being done and keeps it as the cause.
 * Never throws, whatever was thrown.
 */
export function busErrorOf(error: unknown, doing: string, code: ErrorCode = 'BROKER'): BusError {
  if (isBusError(error)) return error;
  return new BusError(code, `Could not ${doing}${saidBy(error)}`, { cause: error });
}

function saidBy(error: unknown): string {
  try {
    return error instanceof Error ? `: ${error.message}` : '';
  } catch {
    return ''; // Looking at it throws.
  }
}

/** Whether the connection is what failed, so that another one may do. */
export function isConnectionTrouble({ code }: BusError): boolean {
  return code === 'CONNECT' || code === 'CONNECTION_LOST' || code === 'TIMEOUT' || code === 'TLS';
}

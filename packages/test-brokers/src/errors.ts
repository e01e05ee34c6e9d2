/**
 * What went wrong, stable across versions:
 * - `INVALID_OPTIONS`: an option or environment variable has a value that cannot be used.
 * - `NO_PROVIDER`: no way of running the broker is open here; the message says why for each.
 * - `TOOL_MISSING`: a program is missing and could not be installed; the message names what to install.
 * - `START_FAILED`: the broker ended, or did not answer in time; the message ends with its last log lines.
 * - `FAULT_UNAVAILABLE`: this provider cannot do that to the broker.
 * - `COMMAND_FAILED`: a tool of the broker failed; the message ends with what it wrote.
 * - `STOPPED`: the broker was stopped for good.
 */
export type TestBrokerErrorCode =
  | 'INVALID_OPTIONS'
  | 'NO_PROVIDER'
  | 'TOOL_MISSING'
  | 'START_FAILED'
  | 'FAULT_UNAVAILABLE'
  | 'COMMAND_FAILED'
  | 'STOPPED';

/** Every failure of this package. `code` tells which one; the message tells what to do next. */
export class TestBrokerError extends Error {
  readonly code: TestBrokerErrorCode;

  constructor(code: TestBrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TestBrokerError';
    this.code = code;
  }
}

// By shape, not by `instanceof`: test runners give tests an `Error` of their own, which what Node throws is not.

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  return String(error.message) || String(error);
}

/** Whether this is a system error of that code, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

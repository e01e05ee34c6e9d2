import type { EventDefinition } from './event.js';
import type { PublishOptions, ReplayOptions, ShutdownOptions } from './event-bus.js';
import { durationMs, flag, listOf, matching, type RulesFor, required, resolveWith } from './options-rules.js';

/**
 * The options of single calls, held against rules like those of a bus: a misspelt name or a value that makes no sense
 * is code `CONFIGURATION`, and never ignored.
 */
const publishRules: RulesFor<{ [K in keyof PublishOptions]-?: PublishOptions[K] | undefined }> = {
  background: flag(),
  headers: matching('an object of texts', (value): value is Readonly<Record<string, string>> =>
    isObject(value),
  ),
};

const shutdownRules: RulesFor<{ readonly timeoutMs: number | undefined }> = { timeoutMs: durationMs() };

const replayRules: RulesFor<{ [K in keyof ReplayOptions]-?: ReplayOptions[K] | undefined }> = {
  from: required(
    matching(
      "'beginning', a valid Date or { positions }",
      (value): value is ReplayOptions['from'] => value === 'beginning' || isPlace(value),
    ),
  ),
  until: matching('a valid Date or { positions }', isPlace),
  handler: required(
    matching('a function or an object with a handle method', (value): value is ReplayOptions['handler'] =>
      isHandler(value),
    ),
  ),
  types: listOf(
    required(
      matching('the name of an event type or a definition', (value): value is string | EventDefinition =>
        isEventType(value),
      ),
    ),
  ),
  signal: matching('an AbortSignal', (value): value is AbortSignal => isSignal(value)),
};

const forceRules: RulesFor<{ readonly force: boolean | undefined }> = { force: flag() };

/** Nothing is allocated for options that are right: this runs at every publish. */
export function checkPublishOptions(options: PublishOptions): void {
  if (!areRight(options)) resolveWith(publishRules, options);
}

/** What `shutdown` was given. */
export function checkShutdownOptions(options: ShutdownOptions): void {
  resolveWith(shutdownRules, options);
}

/** What `replay` was given. */
export function checkReplayOptions(options: ReplayOptions): void {
  resolveWith(replayRules, options);
}

/** What `deadLetters.replay` was given. */
export function checkForceOptions(options: { readonly force?: boolean }): void {
  resolveWith(forceRules, options);
}

function areRight(options: PublishOptions): boolean {
  if (!isObject(options)) return false;
  for (const name in options) if (name !== 'background' && name !== 'headers') return false;
  const { background, headers } = options as Record<string, unknown>;
  return (
    (background === undefined || typeof background === 'boolean') &&
    (headers === undefined || isObject(headers))
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlace(value: unknown): value is NonNullable<ReplayOptions['until']> {
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  const { positions } = (value ?? {}) as { readonly positions?: unknown };
  return (
    isObject(positions) &&
    Object.values(positions as object).every((position) => typeof position === 'string')
  );
}

function isHandler(value: unknown): boolean {
  return (
    typeof value === 'function' ||
    typeof (value as { readonly handle?: unknown } | null | undefined)?.handle === 'function'
  );
}

function isEventType(value: unknown): boolean {
  const name =
    typeof value === 'string' ? value : (value as { readonly eventType?: unknown } | null)?.eventType;
  return typeof name === 'string' && name !== '';
}

function isSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

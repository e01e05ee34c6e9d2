import {
  type DomainEvent,
  type EventBus,
  type EventHandlerFunction,
  type HandlerContext,
  isBusError,
  type PublishOptions,
} from '@omnibus/core';

import { monotonicMs } from './clock.js';
import type { HistoryEntry, PublishOutcome } from './history.js';

/** Where facts go: into a `History`, or out of a child process. Must have taken the fact when it returns. */
export type HistorySink = (entry: HistoryEntry) => void;

/** Whose handler is recorded. */
export interface HandlerLabels {
  readonly group: string;
  /** Unique in the history: one bus in one process. */
  readonly consumer: string;
  /** Tells handlers of one bus apart. @default 'main' */
  readonly handler?: string;
}

/** Codes that say that the event was not accepted and never will be: nothing reached the broker. */
const REFUSED: ReadonlySet<string> = new Set([
  'SERIALIZATION',
  'VALIDATION',
  'PAYLOAD_TOO_LARGE',
  'BUS_CLOSED',
  'CONFIGURATION',
  'BACKPRESSURE',
  'CONNECT',
  'AUTHENTICATION',
  'AUTHORIZATION',
  'TLS',
]);

function outcomeOf(error: unknown): Exclude<PublishOutcome, 'pending' | 'ok'> {
  return isBusError(error) && REFUSED.has(error.code) ? 'failed' : 'unknown';
}

/** Whether a `PublishError` says that the broker confirmed some of the events. */
function placedSome(error: unknown): boolean {
  return ((error as { readonly confirmed?: number } | undefined)?.confirmed ?? 0) > 0;
}

/** The failures that a `PublishError` lists, by event id; undefined when the error speaks of the whole call. */
function listedFailures(error: unknown): ReadonlyMap<string, unknown> | undefined {
  const failures = (error as { failures?: readonly { eventId: string; error: unknown }[] } | undefined)
    ?.failures;
  return Array.isArray(failures) ? new Map(failures.map((f) => [f.eventId, f.error])) : undefined;
}

/** Publishes, and tells `sink` what was tried and how each event ended. Settles as `bus.publish` does. */
export async function recordedPublish(
  sink: HistorySink,
  bus: Pick<EventBus, 'publish'>,
  events: DomainEvent | readonly DomainEvent[],
  options: PublishOptions & { readonly publisher?: string } = {},
): Promise<void> {
  const { publisher = 'publisher', ...publishOptions } = options;
  const list = Array.isArray(events) ? (events as readonly DomainEvent[]) : [events as DomainEvent];
  for (const event of list) {
    const { eventId, eventType, aggregateId: key, aggregateVersion: sequence } = event;
    sink({ kind: 'invoked', publisher, eventId, eventType, key, sequence, atMs: monotonicMs() });
  }
  try {
    await bus.publish(events, publishOptions);
  } catch (error) {
    tellFailure(sink, list, error);
    throw error;
  }
  for (const event of list)
    sink({ kind: 'published', eventId: event.eventId, outcome: 'ok', atMs: monotonicMs() });
}

function tellFailure(sink: HistorySink, events: readonly DomainEvent[], error: unknown): void {
  const listed = listedFailures(error);
  // Bad input is found before anything is sent: then also the events that the error does not list were not placed.
  const nothingSent = outcomeOf(error) === 'failed' && !placedSome(error);
  for (const { eventId } of events) {
    const own = listed ? listed.get(eventId) : error;
    const outcome = own === undefined ? (nothingSent ? 'failed' : 'ok') : outcomeOf(own);
    const text = own === undefined ? undefined : String(own);
    sink({
      kind: 'published',
      eventId,
      outcome,
      ...(text === undefined ? {} : { error: text }),
      atMs: monotonicMs(),
    });
  }
}

/** What a recorded handler does between the two facts. */
export type HandlerBody = (event: DomainEvent, context: HandlerContext) => void | Promise<void>;

let deliveries = 0;

/** A handler that tells `sink` before it starts, runs `body`, and tells how it ended. */
export function recordedHandler(
  sink: HistorySink,
  labels: HandlerLabels,
  body: HandlerBody = () => {},
): EventHandlerFunction {
  const { group, consumer, handler = 'main' } = labels;
  return async (event, context) => {
    deliveries += 1;
    const delivery = deliveries;
    sink({
      kind: 'started',
      delivery,
      group,
      consumer,
      handler,
      eventId: event.eventId,
      eventType: event.eventType,
      key: event.aggregateId,
      sequence: event.aggregateVersion,
      attempt: context.attempt,
      partition: context.partition,
      position: context.position,
      redelivered: context.redelivered,
      replay: context.replay,
      atMs: monotonicMs(),
    });
    try {
      await body(event, context);
    } catch (error) {
      sink({
        kind: 'ended',
        delivery,
        consumer,
        outcome: 'failed',
        error: String(error),
        atMs: monotonicMs(),
      });
      throw error;
    }
    sink({ kind: 'ended', delivery, consumer, outcome: 'ok', atMs: monotonicMs() });
  };
}

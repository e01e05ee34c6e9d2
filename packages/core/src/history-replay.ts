import type { EventCodec } from './codec.js';
import { type ContextServices, InvocationContext } from './context.js';
import { validateData } from './define-event.js';
import { readEvent, targetGroup } from './envelope.js';
import { unsupported } from './errors.js';
import type { DomainEvent, EventDefinition } from './event.js';
import type {
  EventHandler,
  EventTypeOf,
  HistoryPositions,
  ReplayOptions,
  ReplayReport,
} from './event-bus.js';
import { handlerName } from './registry.js';
import type { ProcessSpan, Tracing } from './tracing-types.js';
import type { HistoryQuery, HistoryReader, InboundRecord } from './transport.js';

/** What a replay is done with. */
export interface HistoryReplay {
  /** Undefined where the broker keeps no history. */
  readonly history: HistoryReader | undefined;
  readonly transportName: string;
  readonly destination: string;
  /** Whether the history holds what was given back to one group. */
  readonly sharedReplays: boolean;
  readonly group: string;
  readonly codec: EventCodec;
  readonly maxEventBytes: number;
  /** The definitions that the bus knows; those in `options.types` count besides. */
  readonly definitionFor: (eventType: string, eventVersion: number) => EventDefinition | undefined;
  readonly services: ContextServices;
  readonly tracing: Tracing;
  readonly options: ReplayOptions;
}

/**
 * Reads history to the handler of the call, one event after the other. Rejects with `UNSUPPORTED` where there is none,
 * with what the handler threw as it was thrown, with the signal's reason when that aborts, and with a `BusError` when
 * the broker fails.
 */
export async function replayHistory(replay: HistoryReplay): Promise<ReplayReport> {
  const { history, options, transportName } = replay;
  if (!history)
    throw unsupported(`Replay on ${transportName}`, 'it keeps no history; use a transport that does');
  options.signal?.throwIfAborted();
  const range = await history.open(queryOf(options));
  const reader = new Reader(replay);
  for await (const { partition, records } of range.batches) {
    for (const record of records) {
      options.signal?.throwIfAborted();
      await reader.read(record, partition);
    }
  }
  // A reader that ends early because of the signal has not read everything.
  options.signal?.throwIfAborted();
  return { events: reader.events, unreadable: reader.unreadable, truncated: range.truncated };
}

function queryOf({ from, until, signal }: ReplayOptions): HistoryQuery {
  return {
    from: from === 'beginning' ? { kind: 'beginning' } : placeOf(from),
    until: until === undefined ? { kind: 'now' } : placeOf(until),
    signal,
  };
}

function placeOf(place: Date | HistoryPositions): Exclude<HistoryQuery['from'], { kind: 'beginning' }> {
  return place instanceof Date
    ? { kind: 'time', timeMs: place.getTime() }
    : { kind: 'positions', positions: place.positions };
}

/** Reads records to the handler, and counts. */
class Reader {
  events = 0;
  unreadable = 0;
  readonly #replay: HistoryReplay;
  readonly #types: ReadonlyMap<string, EventTypeOf<DomainEvent>> | undefined;

  constructor(replay: HistoryReplay) {
    this.#replay = replay;
    this.#types = replay.options.types && new Map(replay.options.types.map((type) => [nameOf(type), type]));
  }

  async read(record: InboundRecord, partition: number): Promise<void> {
    // A dead letter that was given back to one group is a copy: the event itself stands where it was published.
    if (this.#replay.sharedReplays && targetGroup(record.headers) !== undefined) return;
    const event = await this.#eventOf(record);
    if (event === undefined) return;
    this.events++;
    await this.#handle(record, partition, event);
  }

  /** Undefined when the event is not wanted, or cannot be read. */
  async #eventOf(record: InboundRecord): Promise<DomainEvent | undefined> {
    try {
      const event = readEvent(record, this.#replay.codec, this.#replay.maxEventBytes);
      if (this.#types && !this.#types.has(event.eventType)) return undefined;
      const definition = this.#definitionOf(event);
      if (!definition?.schema) return event;
      return { ...event, data: (await validateData(definition, event.data)) as DomainEvent['data'] };
    } catch {
      this.unreadable++;
      return undefined;
    }
  }

  #definitionOf({ eventType, eventVersion }: DomainEvent): EventDefinition | undefined {
    const type = this.#types?.get(eventType);
    const given = typeof type === 'object' && type.eventVersion === eventVersion ? type : undefined;
    return given ?? this.#replay.definitionFor(eventType, eventVersion);
  }

  async #handle(record: InboundRecord, partition: number, event: DomainEvent): Promise<void> {
    const { group, services, options } = this.#replay;
    const context = new InvocationContext(
      { event, record, attempt: 1, group, partition, redelivered: false, replay: true },
      services,
    );
    const abort = (): void => context.abort(options.signal?.reason);
    options.signal?.addEventListener('abort', abort);
    const span = this.#startSpan(record, partition, event);
    const call = async (): Promise<void> => invoke(options.handler, event, context);
    try {
      await (span ? span.run(call) : call());
      span?.end('ok');
    } catch (error) {
      span?.handlerFailed(error, handlerName(options.handler));
      span?.end('error');
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }

  #startSpan(record: InboundRecord, partition: number, event: DomainEvent): ProcessSpan | undefined {
    const { tracing, group, destination } = this.#replay;
    if (!tracing.enabled) return undefined;
    return tracing.process({
      record,
      event,
      group,
      partition,
      attempt: 1,
      destination,
      handlerCount: 1,
      replay: true,
    });
  }
}

function nameOf(type: EventTypeOf<DomainEvent>): string {
  return typeof type === 'string' ? type : type.eventType;
}

async function invoke(handler: EventHandler, event: DomainEvent, context: InvocationContext): Promise<void> {
  await (typeof handler === 'function' ? handler(event, context) : handler.handle(event, context));
}

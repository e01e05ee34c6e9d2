import { Accumulator } from './accumulator.js';
import { checkPublishOptions } from './call-options.js';
import { validateData } from './define-event.js';
import type { EngineParts } from './engine-parts.js';
import { type PreparedRecord, prepareRecord } from './envelope.js';
import { BusError, busErrorOf, isBusError, PublishError, type PublishFailure } from './errors.js';
import type { DomainEvent } from './event.js';
import type { PublishOptions } from './event-bus.js';
import { PublishTurns } from './publish-turns.js';
import type { PublishSpan } from './tracing-types.js';
import type { Transport } from './transport.js';

/**
 * The publish path: validate → encode → accumulate → send. Everything up to the accumulator happens in the call itself,
 * so that calls keep their order and later changes of an event by its publisher are not seen. Only a schema that
 * validates asynchronously makes a call wait, and then the calls behind it wait too. See DESIGN.md, "The publish path".
 */
export class PublishPath {
  private readonly accumulator: Accumulator;
  private readonly turns: PublishTurns;
  private background = 0;

  /** `connect` is called when something waits to be sent and the transport is not open. */
  constructor(
    private readonly parts: EngineParts,
    private readonly transport: Pick<Transport, 'send' | 'partitions' | 'limits'>,
    connect: () => void,
  ) {
    const { options, stats, clock, timers, random } = parts;
    const suppressed = {
      send: ((records) => parts.tracing.suppress(() => transport.send(records))) as Transport['send'],
      get partitions() {
        return transport.partitions;
      },
      limits: transport.limits,
    };
    this.accumulator = new Accumulator(suppressed, options.publish, stats, clock, timers, random, connect);
    this.turns = new PublishTurns(timers, options.publish.timeoutMs);
  }

  /** The transport is open: sending may begin. */
  start(): void {
    this.accumulator.start();
  }

  /** The transport could not be opened: what is queued fails with `error`; later calls queue again. */
  fail(error: BusError): void {
    this.accumulator.fail(error);
  }

  /** Resolves when everything given so far is confirmed or has failed. */
  async idle(): Promise<void> {
    await this.turns.idle();
    await this.accumulator.idle();
  }

  /** Ends publishing: what is not confirmed, and what is given later, fails with `error`. Returns how many events failed. */
  abort(error: BusError): number {
    return this.accumulator.abort(error) + this.turns.abort(error);
  }

  async publish(events: readonly DomainEvent[], options: PublishOptions): Promise<void> {
    checkPublishOptions(options);
    if (events.length === 0) return;
    const inBackground =
      options.background === true && this.background < this.parts.options.publish.maxBackgroundPublishes;
    const done = this.traced(events, options);
    if (!inBackground) return done;
    this.background += 1;
    done
      .catch((error: unknown) => this.parts.onError(busErrorOf(error, 'publish in the background')))
      .finally(() => {
        this.background -= 1;
      });
  }

  private async traced(events: readonly DomainEvent[], options: PublishOptions): Promise<void> {
    const { tracing, metrics, stats, clock, destination } = this.parts;
    const startedAtMs = clock.elapsedMs();
    let span: PublishSpan | undefined;
    let isQueued = false;
    const queue = (records: readonly PreparedRecord[]): Promise<void> => {
      isQueued = true;
      return this.accumulator.add(records);
    };
    try {
      assertObjects(events);
      span = tracing.enabled ? tracing.publish(events, destination, options.headers) : undefined;
      const records = this.prepare(events, options, span);
      if (this.turns.busy || records instanceof Promise) await this.turns.take(events, records, queue);
      else await queue(records);
      const durationMs = clock.elapsedMs() - startedAtMs;
      stats.publishLatency.record(durationMs);
      metrics.published(events.length, durationMs);
      span?.end();
    } catch (cause) {
      const error = isBusError(cause)
        ? cause
        : new PublishError([failure(events, 0, cause)], events.length, 0);
      // Before they are queued nothing of the call is sent: one bad event keeps all from being published.
      const failed = isQueued && error instanceof PublishError ? error.failures.length : events.length;
      stats.lastErrorAtMs = clock.now();
      stats.publishErrors += failed;
      metrics.published(events.length, clock.elapsedMs() - startedAtMs, error, failed);
      span?.end(error);
      throw error;
    }
  }

  /** All or nothing: one event that is refused keeps the whole call from being sent. */
  private prepare(
    events: readonly DomainEvent[],
    options: PublishOptions,
    span: PublishSpan | undefined,
  ): PreparedRecord[] | Promise<PreparedRecord[]> {
    const records: PreparedRecord[] = new Array<PreparedRecord>(events.length);
    const failures: PublishFailure[] = [];
    const waits: Promise<void>[] = [];
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index] as DomainEvent;
      try {
        const valid = this.validate(event);
        if (valid instanceof Promise)
          waits.push(
            valid
              .then((later) => {
                records[index] = this.encode(later, index, options, span);
              })
              .catch((error: unknown) => void failures.push(failure(events, index, error))),
          );
        else records[index] = this.encode(valid, index, options, span);
      } catch (error) {
        failures.push(failure(events, index, error));
      }
    }
    const result = (): PreparedRecord[] => {
      if (failures.length === 0) return records;
      throw new PublishError(
        failures.sort((a, b) => a.index - b.index),
        events.length,
        0,
      );
    };
    return waits.length > 0 ? Promise.all(waits).then(result) : result();
  }

  /** The event with what its schema yields. The envelope is that of the call, however long the schema takes. */
  private validate(event: DomainEvent): DomainEvent | Promise<DomainEvent> {
    const definition = this.parts.registry.definitionFor(event.eventType, event.eventVersion);
    if (!definition?.schema) return event;
    const envelope = { ...event };
    const data: unknown = validateData(definition, event.data);
    const complete = (valid: unknown): DomainEvent => ({ ...envelope, data: valid as DomainEvent['data'] });
    return data instanceof Promise ? data.then(complete) : complete(data);
  }

  private encode(
    event: DomainEvent,
    index: number,
    options: PublishOptions,
    span: PublishSpan | undefined,
  ): PreparedRecord {
    const { codec, headers, maxEventBytes, partitionKey } = this.parts.options;
    return prepareRecord(event, {
      codec,
      headers,
      key: partitionKey ? partitionKey(event) : event.aggregateId,
      extraHeaders: options.headers,
      traceHeaders: span?.headersFor(index),
      maxEventBytes: Math.min(maxEventBytes, this.transport.limits.maxRecordBytes),
    });
  }
}

function assertObjects(events: readonly unknown[]): void {
  const failures: PublishFailure[] = [];
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index];
    if (typeof event === 'object' && event !== null) continue;
    const message = `An event must be an object, got ${event === null ? 'null' : typeof event}`;
    failures.push({ index, eventId: '', error: new BusError('SERIALIZATION', message) });
  }
  if (failures.length > 0) throw new PublishError(failures, events.length, 0);
}

function failure(events: readonly DomainEvent[], index: number, error: unknown): PublishFailure {
  const reason = isBusError(error)
    ? error
    : new BusError('SERIALIZATION', `Event ${index} could not be encoded`, { cause: error });
  return { index, eventId: idOf(events[index]), error: reason };
}

/** An event that cannot be encoded may not even tell its id. */
function idOf(event: DomainEvent | undefined): string {
  try {
    return String(event?.eventId);
  } catch {
    return '';
  }
}

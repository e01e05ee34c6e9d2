import { Accumulator } from './accumulator.js';
import { validateData } from './define-event.js';
import type { EngineParts } from './engine-parts.js';
import { type PreparedRecord, prepareRecord } from './envelope.js';
import { BusError, busErrorOf, isBusError, PublishError, type PublishFailure } from './errors.js';
import type { DomainEvent } from './event.js';
import type { PublishOptions } from './event-bus.js';
import type { PublishSpan } from './tracing-types.js';
import type { Transport } from './transport.js';

/**
 * The publish path: validate → encode → accumulate → send. Everything up to the accumulator happens in the call itself,
 * so that calls keep their order and later changes of an event by its publisher are not seen. Only a schema that
 * validates asynchronously makes a call wait, and then the calls behind it wait too. See DESIGN.md, "The publish path".
 */
export class PublishPath {
  readonly accumulator: Accumulator;
  private background = 0;
  /** The last call that waits for an asynchronous schema. */
  private validating: Promise<unknown> | undefined;

  constructor(
    private readonly parts: EngineParts,
    private readonly transport: Pick<Transport, 'send' | 'partitions' | 'limits'>,
  ) {
    const { options, stats, clock, timers, random } = parts;
    const suppressed = {
      send: ((records) => parts.tracing.suppress(() => transport.send(records))) as Transport['send'],
      get partitions() {
        return transport.partitions;
      },
      limits: transport.limits,
    };
    this.accumulator = new Accumulator(suppressed, options.publish, stats, clock, timers, random);
  }

  async publish(events: readonly DomainEvent[], options: PublishOptions): Promise<void> {
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
    const startedAtMs = clock.now();
    const span = tracing.enabled ? tracing.publish(events, destination, options.headers) : undefined;
    try {
      await this.place(events, options, span);
      const durationMs = clock.now() - startedAtMs;
      stats.publishLatency.record(durationMs);
      metrics.published(events.length, durationMs);
      span?.end();
    } catch (error) {
      stats.lastErrorAtMs = clock.now();
      metrics.published(events.length, clock.now() - startedAtMs, error);
      span?.end(error);
      throw error;
    }
  }

  private place(
    events: readonly DomainEvent[],
    options: PublishOptions,
    span: PublishSpan | undefined,
  ): Promise<void> {
    const validated = this.validate(events);
    const queue = (valid: readonly DomainEvent[]): Promise<void> =>
      this.accumulator.add(this.encode(valid, options, span));
    if (!this.validating && !(validated instanceof Promise)) return queue(validated);
    const turn = Promise.all([validated, this.validating?.catch(() => undefined)]).then(([valid]) => ({
      queued: queue(valid),
    }));
    this.validating = turn;
    const over = (): void => {
      if (this.validating === turn) this.validating = undefined;
    };
    turn.then(over, over);
    return turn.then(({ queued }) => queued);
  }

  private validate(events: readonly DomainEvent[]): readonly DomainEvent[] | Promise<readonly DomainEvent[]> {
    const failures: PublishFailure[] = [];
    const waits: Promise<void>[] = [];
    const valid = events.slice();
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index] as DomainEvent;
      const definition = this.parts.registry.definitionFor(event.eventType, event.eventVersion);
      if (!definition?.schema) continue;
      const accept = (data: unknown): void => {
        valid[index] = { ...event, data: data as DomainEvent['data'] };
      };
      const refuse = (error: unknown): void => {
        failures.push({ index, eventId: event.eventId, error: asValidationError(error) });
      };
      try {
        const data = validateData(definition, event.data);
        if (data instanceof Promise) waits.push(data.then(accept, refuse));
        else accept(data);
      } catch (error) {
        refuse(error);
      }
    }
    const result = (): readonly DomainEvent[] => {
      if (failures.length > 0) throw new PublishError(failures, events.length, 0);
      return valid;
    };
    return waits.length > 0 ? Promise.all(waits).then(result) : result();
  }

  /** All or nothing: one event that cannot be encoded keeps the whole call from being sent. */
  private encode(
    events: readonly DomainEvent[],
    options: PublishOptions,
    span: PublishSpan | undefined,
  ): PreparedRecord[] {
    const { codec, headers, partitionKey } = this.parts.options;
    const maxEventBytes = Math.min(this.parts.options.maxEventBytes, this.transport.limits.maxRecordBytes);
    const records: PreparedRecord[] = [];
    const failures: PublishFailure[] = [];
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index] as DomainEvent;
      try {
        const key = partitionKey ? partitionKey(event) : event.aggregateId;
        records.push(
          prepareRecord(event, {
            codec,
            headers,
            key,
            extraHeaders: options.headers,
            traceHeaders: span?.headersFor(index),
            maxEventBytes,
          }),
        );
      } catch (error) {
        const reason = isBusError(error)
          ? error
          : new BusError('SERIALIZATION', `Event ${index} could not be encoded`, { cause: error });
        failures.push({ index, eventId: String(event?.eventId), error: reason });
      }
    }
    if (failures.length > 0) throw new PublishError(failures, events.length, 0);
    return records;
  }
}

function asValidationError(error: unknown): BusError {
  return isBusError(error) ? error : new BusError('VALIDATION', 'The schema itself failed', { cause: error });
}

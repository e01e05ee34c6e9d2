import type { DomainEvent } from './event.js';
import type { TracerProviderLike } from './otel.js';
import type { InboundRecord } from './transport.js';

/** What the engine tells OpenTelemetry. Everything else of it stays behind this interface. */
export interface Tracing {
  /**
   * False when tracing is off or no SDK is registered: the engine then skips everything, and nothing is allocated.
   * Read anew each time, because an SDK may be registered after the bus was made.
   */
  readonly enabled: boolean;
  /**
   * Starts the spans of one `publish`, as children of what is active in the caller: call it before the first `await`.
   * Undefined when not enabled. `headers` are the user's: a trace context among them (of a propagator whose header
   * names are not reserved, as W3C's are) is theirs to set, is kept, and the send span only links to it.
   */
  publish(
    events: readonly DomainEvent[],
    destination: string,
    headers?: Readonly<Record<string, string>>,
  ): PublishSpan | undefined;
  /** Starts the span of one attempt. Undefined when not enabled. */
  process(info: ProcessInfo): ProcessSpan | undefined;
  /** Runs calls of the broker's client without their own instrumentation, whose spans would double these. */
  suppress<T>(fn: () => T): T;
}

/** The spans of one `publish`. */
export interface PublishSpan {
  /** What carries the context of the event at `index`; goes under the headers of the user, never over them. */
  headersFor(index: number): Readonly<Record<string, string>>;
  /** Ends it; later calls do nothing. */
  end(error?: unknown): void;
}

/** One attempt of one delivery. */
export interface ProcessInfo {
  readonly record: InboundRecord;
  /** Undefined when the record cannot be read. */
  readonly event: DomainEvent | undefined;
  readonly group: string;
  readonly partition: number;
  readonly attempt: number;
  readonly destination: string;
  readonly handlerCount: number;
  readonly replay: boolean;
}

/** The span of one attempt. */
export interface ProcessSpan {
  /** Runs with this span active, across awaits too: what a handler publishes becomes its child. */
  run<T>(fn: () => T): T;
  handlerFailed(error: unknown, handler: string): void;
  /** Ends it; later calls do nothing. */
  end(outcome: 'ok' | 'error'): void;
}

/** How a bus traces. */
export interface TracingOptions {
  readonly enabled: boolean;
  /**
   * A `process` span always links to the context that its event was created in. With `parent` it is a child of it too,
   * so that what an event causes, through any number of services, is one trace. With `link` each attempt starts a
   * trace of its own: for events that wait for hours or fan out to many, whose trace would never end.
   *
   * The semantic conventions ask for the link and allow the parent where a span handles one message, as it always does
   * here.
   */
  readonly parent: 'link' | 'parent';
  /** Whether `suppress` does anything. */
  readonly suppressClientSpans: boolean;
  /** Whether each event of a batch gets a `create` span, hence a context of its own. @default true */
  readonly createSpans?: boolean;
  /** @default the globally registered one */
  readonly tracerProvider?: TracerProviderLike | undefined;
  /** `messaging.system`. */
  readonly system: string;
  readonly clientId: string;
}

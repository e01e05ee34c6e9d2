import type { Context, SpanContext, TextMapGetter } from '@opentelemetry/api';

import type { OtelApi } from './otel.js';
import type { HeaderValue, InboundHeaders } from './transport.js';
import { extractW3c, injectW3c } from './w3c.js';

/** Headers that carry a trace context. */
export type TraceHeaders = Readonly<Record<string, string>>;

/**
 * Trace contexts in and out of headers: by the propagator that is registered, else by W3C's (`traceparent`, `tracestate`
 * and `baggage`), so that a bus that was only given a tracer provider does not cut traces.
 */
export class TracePropagation {
  readonly #api: OtelApi;

  constructor(api: OtelApi) {
    this.#api = api;
  }

  /** Nothing when the span of `context` is invalid, as it is where tracing is suppressed. */
  headersOf(context: Context): TraceHeaders {
    if (!this.spanContext(context)) return {};
    if (!this.#registered) return injectW3c(this.#api, context);
    const headers: Record<string, string> = {};
    this.#api.propagation.inject(context, headers);
    return headers;
  }

  /** What arrived, on an empty context. Headers that make no sense are as good as none. */
  extract(headers: InboundHeaders): Context {
    const { ROOT_CONTEXT, propagation } = this.#api;
    return this.#registered
      ? propagation.extract(ROOT_CONTEXT, headers, GETTER)
      : extractW3c(this.#api, ROOT_CONTEXT, (name) => GETTER.get(headers, name));
  }

  /** The span in `context`, if it is a valid one. */
  spanContext(context: Context): SpanContext | undefined {
    const spanContext = this.#api.trace.getSpanContext(context);
    return spanContext && this.#api.isSpanContextValid(spanContext) ? spanContext : undefined;
  }

  /** The propagator that stands in for none has no fields. */
  get #registered(): boolean {
    return this.#api.propagation.fields().length > 0;
  }
}

/** Reads headers as brokers give them: text or bytes, once or repeatedly. */
const GETTER: TextMapGetter<InboundHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => (Object.hasOwn(headers, name) ? text(headers[name]) : undefined),
};

function text(value: HeaderValue): string | string[] | undefined {
  if (value === undefined || typeof value === 'string') return value;
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
  // Clients also hand out numbers, tables and nothing, alone or in lists, whatever the type says.
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((part: unknown) =>
    typeof part === 'string' ? part : part instanceof Uint8Array ? Buffer.from(part).toString() : [],
  );
}

import type { Tracer } from '@opentelemetry/api';

import type { DomainEvent } from './event.js';
import { INSTRUMENTATION_NAME, loadOtel, type OtelApi, type TracerProviderLike } from './otel.js';
import { startProcessSpan } from './process-span.js';
import { startPublishSpan } from './publish-span.js';
import type { SpanTools } from './span-tools.js';
import { TraceAttributes } from './trace-attributes.js';
import { TracePropagation } from './trace-propagation.js';
import type { ProcessInfo, ProcessSpan, PublishSpan, Tracing, TracingOptions } from './tracing-types.js';

export type { ProcessInfo, ProcessSpan, PublishSpan, Tracing, TracingOptions } from './tracing-types.js';

/** Tracing by OpenTelemetry's semantic conventions for messaging; nothing where `@opentelemetry/api` is not installed. */
export function createTracing(options: TracingOptions): Tracing {
  const api = options.enabled ? loadOtel() : undefined;
  return api ? new OtelTracing(api, options) : NO_TRACING;
}

const NO_TRACING: Tracing = Object.freeze({
  enabled: false,
  publish: () => undefined,
  process: () => undefined,
  suppress: <T>(fn: () => T): T => fn(),
});

/** The key of `@opentelemetry/core`'s `suppressTracing`: context keys are global by name. */
const SUPPRESS_KEY = 'OpenTelemetry SDK Context Key SUPPRESS_TRACING';

class OtelTracing implements Tracing {
  readonly #api: OtelApi;
  readonly #options: TracingOptions;
  readonly #attributes: TraceAttributes;
  readonly #propagation: TracePropagation;
  readonly #suppressKey: symbol;
  #provider: TracerProviderLike | undefined;
  #tracer: Tracer | undefined;

  constructor(api: OtelApi, options: TracingOptions) {
    this.#api = api;
    this.#options = options;
    this.#attributes = new TraceAttributes(options.system, options.clientId);
    this.#propagation = new TracePropagation(api);
    this.#suppressKey = api.createContextKey(SUPPRESS_KEY);
  }

  get enabled(): boolean {
    return this.#currentTracer() !== undefined;
  }

  publish(
    events: readonly DomainEvent[],
    destination: string,
    headers?: Readonly<Record<string, string>>,
  ): PublishSpan | undefined {
    const tracer = this.#currentTracer();
    if (!tracer || events.length === 0) return undefined;
    const { createSpans = true } = this.#options;
    return startPublishSpan(this.#tools(tracer), { events, destination, headers, createSpans });
  }

  process(info: ProcessInfo): ProcessSpan | undefined {
    const tracer = this.#currentTracer();
    return tracer && startProcessSpan(this.#tools(tracer), info, this.#options.parent);
  }

  suppress<T>(fn: () => T): T {
    if (!this.#options.suppressClientSpans || !this.enabled) return fn();
    const { context } = this.#api;
    return context.with(context.active().setValue(this.#suppressKey, true), fn);
  }

  #tools(tracer: Tracer): SpanTools {
    return { api: this.#api, tracer, attributes: this.#attributes, propagation: this.#propagation };
  }

  /**
   * The global provider is a proxy that has no delegate until an SDK is registered, and is replaced when one is
   * disabled. So the provider is compared each time, and a tracer is kept only once there is one behind it.
   */
  #currentTracer(): Tracer | undefined {
    const provider = this.#options.tracerProvider ?? this.#api.trace.getTracerProvider();
    if (provider !== this.#provider) {
      this.#tracer = (
        'getDelegateTracer' in provider && typeof provider.getDelegateTracer === 'function'
          ? provider.getDelegateTracer(INSTRUMENTATION_NAME)
          : provider.getTracer(INSTRUMENTATION_NAME)
      ) as Tracer | undefined;
      this.#provider = this.#tracer ? provider : undefined;
    }
    return this.#tracer;
  }
}

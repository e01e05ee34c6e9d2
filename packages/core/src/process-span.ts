import type { Context, Span } from '@opentelemetry/api';

import { recordFailure } from './span-failure.js';
import type { SpanTools } from './span-tools.js';
import type { ProcessInfo, ProcessSpan } from './tracing-types.js';

/**
 * Starts the span of one attempt. Its surroundings are the record's and nothing else: what is active where the record
 * came out of a socket, or out of a publisher of the same process, has no part in it.
 */
export function startProcessSpan(tools: SpanTools, info: ProcessInfo, mode: 'link' | 'parent'): ProcessSpan {
  const { api, tracer, attributes, propagation } = tools;
  const arrived = propagation.extract(info.record.headers);
  const origin = propagation.spanContext(arrived);
  const parent = mode === 'parent' ? arrived : api.trace.deleteSpan(arrived);
  const span = tracer.startSpan(
    `process ${info.destination}`,
    {
      kind: api.SpanKind.CONSUMER,
      attributes: attributes.process(info),
      links: origin ? [{ context: origin }] : [],
    },
    parent,
  );
  return new OtelProcessSpan(tools, span, api.trace.setSpan(parent, span));
}

class OtelProcessSpan implements ProcessSpan {
  readonly #tools: SpanTools;
  readonly #span: Span;
  readonly #context: Context;
  #failed = false;
  #ended = false;

  constructor(tools: SpanTools, span: Span, context: Context) {
    this.#tools = tools;
    this.#span = span;
    this.#context = context;
  }

  run<T>(fn: () => T): T {
    return this.#tools.api.context.with(this.#context, fn);
  }

  handlerFailed(error: unknown, handler: string): void {
    this.#failed = true;
    recordFailure(this.#tools.api, this.#span, error, { 'omnibus.handler.name': handler });
  }

  end(outcome: 'ok' | 'error'): void {
    if (this.#ended) return;
    this.#ended = true;
    // Success stays unset: the conventions leave `OK` to the application.
    if (outcome === 'error' && !this.#failed)
      this.#span.setStatus({ code: this.#tools.api.SpanStatusCode.ERROR });
    this.#span.end();
  }
}

import type { Context, Link, Span } from '@opentelemetry/api';

import type { DomainEvent } from './event.js';
import { recordFailure } from './span-failure.js';
import type { SpanTools } from './span-tools.js';
import type { TraceHeaders } from './trace-propagation.js';
import type { PublishSpan } from './tracing-types.js';

/** What is published, and how much of it gets spans. */
export interface PublishInfo {
  readonly events: readonly DomainEvent[];
  readonly destination: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly createSpans: boolean;
}

const NO_HEADERS: TraceHeaders = Object.freeze({});

/** SDKs keep 128 links of a span by default; more would be made to be thrown away. */
const MAX_LINKS = 128;

/**
 * Starts the spans of one publish. What goes into a record is always the context of a span that was made here: of the
 * send span, or in a batch of the event's own create span. Never the caller's, which would hide the send from the trace.
 */
export function startPublishSpan(tools: SpanTools, info: PublishInfo): PublishSpan {
  const parent = tools.api.context.active();
  const given = tools.propagation.spanContext(tools.propagation.extract(info.headers ?? NO_HEADERS));
  if (given) return linkedSend(tools, info, parent, [{ context: given }], [NO_HEADERS]);
  if (info.events.length > 1 && info.createSpans) {
    const created = info.events.map((event) => create(tools, event, info.destination, parent));
    const links = created.slice(0, MAX_LINKS).map(({ link }) => link);
    return linkedSend(
      tools,
      info,
      parent,
      links,
      created.map(({ headers }) => headers),
    );
  }
  const span = startSend(tools, info, parent, [], tools.api.SpanKind.PRODUCER);
  return new OtelPublishSpan(tools, span, [
    tools.propagation.headersOf(tools.api.trace.setSpan(parent, span)),
  ]);
}

/** Its context travels with no event, hence it is a client span. */
function linkedSend(
  tools: SpanTools,
  info: PublishInfo,
  parent: Context,
  links: Link[],
  headers: readonly TraceHeaders[],
): PublishSpan {
  return new OtelPublishSpan(
    tools,
    startSend(tools, info, parent, links, tools.api.SpanKind.CLIENT),
    headers,
  );
}

function startSend(tools: SpanTools, info: PublishInfo, parent: Context, links: Link[], kind: number): Span {
  const attributes = tools.attributes.send(info.events, info.destination);
  return tools.tracer.startSpan(`send ${info.destination}`, { kind, attributes, links }, parent);
}

function create(
  { api, tracer, attributes, propagation }: SpanTools,
  event: DomainEvent,
  destination: string,
  parent: Context,
): { readonly link: Link; readonly headers: TraceHeaders } {
  const span = tracer.startSpan(
    `create ${destination}`,
    { kind: api.SpanKind.PRODUCER, attributes: attributes.create(event, destination) },
    parent,
  );
  const headers = propagation.headersOf(api.trace.setSpan(parent, span));
  span.end();
  return { link: { context: span.spanContext() }, headers };
}

class OtelPublishSpan implements PublishSpan {
  readonly #tools: SpanTools;
  readonly #span: Span;
  /** One for each event, or one for all. */
  readonly #headers: readonly TraceHeaders[];
  #ended = false;

  constructor(tools: SpanTools, span: Span, headers: readonly TraceHeaders[]) {
    this.#tools = tools;
    this.#span = span;
    this.#headers = headers;
  }

  headersFor(index: number): TraceHeaders {
    return this.#headers[index] ?? this.#headers[0] ?? NO_HEADERS;
  }

  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== undefined) recordFailure(this.#tools.api, this.#span, error);
    this.#span.end();
  }
}

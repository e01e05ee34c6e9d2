import type { Context, SpanContext } from '@opentelemetry/api';

import type { OtelApi } from './otel.js';

/** https://www.w3.org/TR/trace-context: later versions may append parts, version 00 may not. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** https://www.w3.org/TR/baggage: what every implementation must be able to pass on. */
const MAX_BAGGAGE_LENGTH = 8_192;
const MAX_BAGGAGE_ENTRIES = 180;

type Read = (name: string) => string | string[] | undefined;

/** `traceparent`, `tracestate` and `baggage` of a context that has a valid span. */
export function injectW3c(api: OtelApi, context: Context): Record<string, string> {
  const span = api.trace.getSpanContext(context);
  if (!span) return {};
  const sampled = span.traceFlags & SAMPLED;
  const state = span.traceState?.serialize();
  const baggage = serializeBaggage(api, context);
  return {
    traceparent: `00-${span.traceId}-${span.spanId}-0${sampled}`,
    ...(state ? { tracestate: state } : {}),
    ...(baggage ? { baggage } : {}),
  };
}

/** `context` with what the headers say. What is malformed is left out; it never throws. */
export function extractW3c(api: OtelApi, context: Context, read: Read): Context {
  const span = parseTraceparent(api, first(read('traceparent')), joined(read('tracestate')));
  const traced = span ? api.trace.setSpanContext(context, span) : context;
  const entries = parseBaggage(joined(read('baggage')));
  if (entries.length === 0) return traced;
  const values = Object.fromEntries(entries.map(([name, value]) => [name, { value }]));
  return api.propagation.setBaggage(traced, api.propagation.createBaggage(values));
}

function parseTraceparent(
  api: OtelApi,
  parent: string | undefined,
  state: string | undefined,
): SpanContext | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(parent?.trim() ?? '') ?? [];
  if (!traceId || !spanId || !flags || (version === '00' && rest !== undefined)) return undefined;
  const span: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & SAMPLED,
    isRemote: true,
    ...(state ? { traceState: api.createTraceState(state) } : {}),
  };
  return api.isSpanContextValid(span) ? span : undefined;
}

function serializeBaggage(api: OtelApi, context: Context): string {
  let header = '';
  const entries = api.propagation.getBaggage(context)?.getAllEntries() ?? [];
  for (const [name, { value, metadata }] of entries.slice(0, MAX_BAGGAGE_ENTRIES)) {
    const properties = metadata ? `;${metadata.toString()}` : '';
    const entry = `${encodeURIComponent(name)}=${encodeURIComponent(value)}${properties}`;
    if (header.length + 1 + entry.length > MAX_BAGGAGE_LENGTH) continue;
    header = header === '' ? entry : `${header},${entry}`;
  }
  return header;
}

function parseBaggage(header: string | undefined): [name: string, value: string][] {
  if (header === undefined || header.length > MAX_BAGGAGE_LENGTH) return [];
  return header
    .split(',')
    .slice(0, MAX_BAGGAGE_ENTRIES)
    .flatMap((member) => {
      const pair = member.split(';', 1)[0] ?? '';
      const equals = pair.indexOf('=');
      const name = decoded(pair.slice(0, equals));
      const value = decoded(pair.slice(equals + 1));
      return equals > 0 && name && value !== undefined ? [[name, value]] : [];
    });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

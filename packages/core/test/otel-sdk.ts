import { context, metrics, propagation, type SpanContext, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanLimits,
} from '@opentelemetry/sdk-trace-base';

import type { DomainEvent } from '../src/event.js';
import { createEvent } from '../src/event.js';
import type { TracingOptions } from '../src/tracing.js';
import type { InboundHeaders, InboundRecord } from '../src/transport.js';

export interface Sdk {
  readonly provider: BasicTracerProvider;
  spans(): readonly ReadableSpan[];
  span(name: string): ReadableSpan;
}

export function makeSdk(options: { readonly spanLimits?: SpanLimits } = {}): Sdk {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    ...options,
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  return {
    provider,
    spans: () => exporter.getFinishedSpans(),
    span(name) {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name);
      const [only] = found;
      if (!only || found.length > 1) throw new Error(`${found.length} spans are named ${name}`);
      return only;
    },
  };
}

/** Registers everything, like a NodeSDK does. */
export function registerSdk(): Sdk {
  const sdk = makeSdk();
  trace.setGlobalTracerProvider(sdk.provider);
  registerContextManager();
  registerPropagator();
  return sdk;
}

export function registerContextManager(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

export function registerPropagator(): void {
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
}

export function unregisterSdk(): void {
  trace.disable();
  context.disable();
  propagation.disable();
  metrics.disable();
}

export const TRACING: TracingOptions = {
  enabled: true,
  parent: 'parent',
  suppressClientSpans: true,
  system: 'kafka',
  clientId: 'orders-1',
};

export function event(eventId: string, changes: Partial<DomainEvent> = {}): DomainEvent {
  return createEvent({
    eventId,
    eventType: 'OrderPlaced',
    aggregateId: 'order-7',
    aggregateType: 'Order',
    correlationId: 'correlation-1',
    data: {},
    ...changes,
  });
}

export function record(headers: InboundHeaders = {}): InboundRecord {
  return {
    key: 'order-7',
    value: Buffer.from('{"a":1}'),
    headers,
    position: '42',
    timestampMs: 1,
    redelivered: false,
  };
}

export function spanContextOf(headers: Readonly<Record<string, string>>): SpanContext | undefined {
  const [, traceId, spanId, flags] = headers.traceparent?.split('-') ?? [];
  return traceId && spanId ? { traceId, spanId, traceFlags: Number(flags) } : undefined;
}

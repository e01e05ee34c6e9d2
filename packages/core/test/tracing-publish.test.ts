import { context, diag, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

import { BusError, PublishError } from '../src/errors.js';
import { createTracing, type PublishSpan, type Tracing } from '../src/tracing.js';
import { event, registerSdk, type Sdk, spanContextOf, TRACING, unregisterSdk } from './otel-sdk.js';

let sdk: Sdk;
let tracing: Tracing;

beforeEach(() => {
  sdk = registerSdk();
  tracing = createTracing(TRACING);
});
afterEach(unregisterSdk);

function publish(ids: readonly string[], headers?: Record<string, string>): PublishSpan {
  const span = tracing.publish(
    ids.map((id) => event(id)),
    'orders.stream',
    headers,
  );
  if (!span) throw new Error('nothing was traced');
  return span;
}

describe('the span of a publish', () => {
  it('is a producer span named for what it does and where', () => {
    publish(['e1']).end();
    const send = sdk.span('send orders.stream');
    expect(send.kind).toBe(SpanKind.PRODUCER);
    expect(send.status.code).toBe(SpanStatusCode.UNSET);
    expect(send.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.client.id': 'orders-1',
      'messaging.destination.name': 'orders.stream',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.message.id': 'e1',
      'messaging.message.conversation_id': 'correlation-1',
      'omnibus.event.type': 'OrderPlaced',
      'omnibus.aggregate.id': 'order-7',
      'omnibus.aggregate.type': 'Order',
    });
  });

  it('travels itself in the record, not its caller', () => {
    const headers = trace.getTracer('test').startActiveSpan('caller', (caller) => {
      const span = publish(['e1']);
      span.end();
      caller.end();
      return span.headersFor(0);
    });
    const send = sdk.span('send orders.stream');
    expect(spanContextOf(headers)?.spanId).toBe(send.spanContext().spanId);
    expect(send.parentSpanContext?.spanId).toBe(sdk.span('caller').spanContext().spanId);
  });

  it('travels without a caller too', () => {
    const span = publish(['e1']);
    span.end();
    expect(spanContextOf(span.headersFor(0))?.traceId).toBe(
      sdk.span('send orders.stream').spanContext().traceId,
    );
  });

  it('carries the baggage of the caller', () => {
    const baggage = propagation.createBaggage({ tenant: { value: 'acme & sons' } });
    const headers = context.with(propagation.setBaggage(context.active(), baggage), () =>
      publish(['e1']).headersFor(0),
    );
    expect(headers.baggage).toBe('tenant=acme%20%26%20sons');
  });

  it('gives each event of a batch a context of its own, to which the send span links', () => {
    const span = publish(['e1', 'e2', 'e3']);
    span.end();
    const created = sdk.spans().filter(({ name }) => name === 'create orders.stream');
    const send = sdk.span('send orders.stream');
    const inHeaders = [0, 1, 2].map((index) => spanContextOf(span.headersFor(index))?.spanId);
    expect(new Set(inHeaders).size).toBe(3);
    expect(created.map(({ kind, attributes }) => [kind, attributes['messaging.message.id']])).toEqual([
      [SpanKind.PRODUCER, 'e1'],
      [SpanKind.PRODUCER, 'e2'],
      [SpanKind.PRODUCER, 'e3'],
    ]);
    expect(inHeaders).toEqual(created.map((create) => create.spanContext().spanId));
    expect(send.links.map((link) => link.context.spanId)).toEqual(inHeaders);
    expect(send.kind).toBe(SpanKind.CLIENT);
    expect(send.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    expect(send.attributes).not.toHaveProperty('messaging.message.id');
  });

  it('keeps a batch in the trace of its caller', () => {
    trace.getTracer('test').startActiveSpan('caller', (caller) => {
      publish(['e1', 'e2']).end();
      caller.end();
    });
    expect(new Set(sdk.spans().map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  it('travels with every event of a batch when create spans are switched off', () => {
    tracing = createTracing({ ...TRACING, createSpans: false });
    const span = publish(['e1', 'e2']);
    span.end();
    expect(sdk.spans()).toHaveLength(1);
    expect(sdk.span('send orders.stream').kind).toBe(SpanKind.PRODUCER);
    expect(span.headersFor(1)).toEqual(span.headersFor(0));
    expect(spanContextOf(span.headersFor(1))?.spanId).toBe(
      sdk.span('send orders.stream').spanContext().spanId,
    );
  });

  it('leaves a context alone that the user set, and links to it', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const span = publish(['e1', 'e2'], { traceparent });
    span.end();
    expect(span.headersFor(0)).toEqual({});
    expect(span.headersFor(1)).toEqual({});
    expect(sdk.spans()).toHaveLength(1);
    expect(sdk.span('send orders.stream').links.map(({ context: { spanId } }) => spanId)).toEqual([
      'b'.repeat(16),
    ]);
  });

  it('records why it failed, with the stable code', () => {
    const failure = new BusError('PAYLOAD_TOO_LARGE', 'too large');
    publish(['e1']).end(new PublishError([{ index: 0, eventId: 'e1', error: failure }], 1, 0));
    const send = sdk.span('send orders.stream');
    expect(send.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: '1 of 1 events were not published: too large',
    });
    expect(send.attributes['error.type']).toBe('PAYLOAD_TOO_LARGE');
    expect(send.events[0]).toMatchObject({
      name: 'exception',
      attributes: { 'exception.type': 'PublishError' },
    });
  });

  it('ends once, and leaves the SDK nothing to complain about', () => {
    const complain = jest.fn();
    diag.setLogger({ error: complain, warn: complain, info: () => {}, debug: () => {}, verbose: () => {} });
    const span = publish(['e1']);
    span.end();
    span.end(new Error('late'));
    diag.disable();
    expect(sdk.span('send orders.stream').status.code).toBe(SpanStatusCode.UNSET);
    expect(complain).not.toHaveBeenCalled();
  });

  it('is not there for an empty publish', () => {
    expect(tracing.publish([], 'orders.stream')).toBeUndefined();
    expect(sdk.spans()).toHaveLength(0);
  });
});

import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';

import { BusError, NonRetryableError } from '../src/errors.js';
import { createTracing, type ProcessInfo, type ProcessSpan, type Tracing } from '../src/tracing.js';
import type { InboundHeaders } from '../src/transport.js';
import { event, record, registerSdk, type Sdk, TRACING, unregisterSdk } from './otel-sdk.js';

const TRACE_ID = 'a'.repeat(32);
const SPAN_ID = 'b'.repeat(16);
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

let sdk: Sdk;
let tracing: Tracing;

beforeEach(() => {
  sdk = registerSdk();
  tracing = createTracing(TRACING);
});
afterEach(unregisterSdk);

function process(headers: InboundHeaders, changes: Partial<ProcessInfo> = {}): ProcessSpan {
  const span = tracing.process({
    record: record(headers),
    event: event('e1'),
    group: 'billing',
    partition: 3,
    attempt: 2,
    destination: 'orders.stream',
    handlerCount: 1,
    replay: false,
    ...changes,
  });
  if (!span) throw new Error('nothing was traced');
  return span;
}

describe('the span of an attempt', () => {
  it('is a consumer span named for what it does and where', () => {
    process({}).end('ok');
    const span = sdk.span('process orders.stream');
    expect(span.kind).toBe(SpanKind.CONSUMER);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.client.id': 'orders-1',
      'messaging.destination.name': 'orders.stream',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': 'e1',
      'messaging.message.conversation_id': 'correlation-1',
      'messaging.message.body.size': 7,
      'messaging.consumer.group.name': 'billing',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 42,
      'messaging.kafka.message.key': 'order-7',
      'omnibus.event.type': 'OrderPlaced',
      'omnibus.aggregate.id': 'order-7',
      'omnibus.aggregate.type': 'Order',
      'omnibus.message.position': '42',
      'omnibus.delivery.attempt': 2,
      'omnibus.delivery.redelivered': false,
      'omnibus.delivery.replay': false,
      'omnibus.handler.count': 1,
    });
  });

  it('has the names of a broker only on that broker', () => {
    tracing = createTracing({ ...TRACING, system: 'memory' });
    process({}).end('ok');
    const names = Object.keys(sdk.span('process orders.stream').attributes);
    expect(names.filter((name) => name.startsWith('messaging.kafka'))).toEqual([]);
  });

  it('is a child of the context its event was created in, and links to it', () => {
    process({ traceparent: TRACEPARENT }).end('ok');
    const span = sdk.span('process orders.stream');
    expect(span.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true });
    expect(span.links.map((link) => link.context.spanId)).toEqual([SPAN_ID]);
  });

  it('starts a trace of its own that links to the origin when asked to', () => {
    tracing = createTracing({ ...TRACING, parent: 'link' });
    process({ traceparent: TRACEPARENT }).end('ok');
    const span = sdk.span('process orders.stream');
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.spanContext().traceId).not.toBe(TRACE_ID);
    expect(span.links.map((link) => link.context.traceId)).toEqual([TRACE_ID]);
  });

  it('reads headers that arrive as bytes, or repeated', () => {
    process({
      traceparent: Buffer.from(TRACEPARENT),
      tracestate: [Buffer.from('a=1'), 'b=2'],
      baggage: 7 as never,
    }).end('ok');
    const parent = sdk.span('process orders.stream').parentSpanContext;
    expect(parent?.spanId).toBe(SPAN_ID);
    expect(parent?.traceState?.serialize()).toBe('a=1,b=2');
  });

  it('leaves out of a repeated header what is no text', () => {
    const odd = [7, null, {}, TRACEPARENT, undefined] as never;
    process({ traceparent: odd, tracestate: [{}] as never, baggage: odd }).end('ok');
    expect(sdk.span('process orders.stream').parentSpanContext?.spanId).toBe(SPAN_ID);
  });

  it('has nothing to do with what is active where the record arrives', () => {
    trace.getTracer('test').startActiveSpan('publisher of this process', (publisher) => {
      context.with(suppressTracing(context.active()), () => process({}).end('ok'));
      publisher.end();
    });
    expect(sdk.span('process orders.stream').parentSpanContext).toBeUndefined();
  });

  it.each([
    ['not hexadecimal', `00-${'z'.repeat(32)}-${SPAN_ID}-01`],
    ['all zero', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['cut off', '00-abc'],
    ['of the forbidden version', `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ['empty', ''],
    ['huge', '0'.repeat(100_000)],
  ])('is a new root when the traceparent is %s', (_, traceparent) => {
    process({ traceparent, tracestate: ';;;', baggage: '=,%zz=%,a' }).end('ok');
    const span = sdk.span('process orders.stream');
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.links).toEqual([]);
  });

  it('is the parent of what a handler publishes, across awaits: a chain is one trace', async () => {
    let headers: Readonly<Record<string, string>> = {};
    for (const id of ['a', 'b', 'c']) {
      const span = process(headers, { event: event(id) });
      await span.run(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        const sent = tracing.publish([event(`after ${id}`)], 'orders.stream');
        headers = sent?.headersFor(0) ?? {};
        sent?.end();
      });
      span.end('ok');
    }
    const spans = sdk.spans();
    expect(spans.map(({ name }) => name)).toEqual(
      Array.from({ length: 3 }, () => ['send orders.stream', 'process orders.stream']).flat(),
    );
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
    const [sendA, processA, , processB] = spans;
    expect(sendA?.parentSpanContext?.spanId).toBe(processA?.spanContext().spanId);
    expect(processB?.parentSpanContext?.spanId).toBe(sendA?.spanContext().spanId);
  });

  it.each(['parent', 'link'] as const)('hands baggage to the handler in mode %s', (parent) => {
    tracing = createTracing({ ...TRACING, parent });
    const span = process({ traceparent: TRACEPARENT, baggage: 'tenant=acme%20%26%20sons' });
    const seen = span.run(() => propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    expect(seen).toBe('acme & sons');
  });

  it('passes a tracestate on to what a handler publishes', () => {
    const span = process({ traceparent: TRACEPARENT, tracestate: 'vendor=abc' });
    const headers = span.run(() => tracing.publish([event('e2')], 'orders.stream')?.headersFor(0));
    expect(headers).toMatchObject({ tracestate: 'vendor=abc' });
  });

  it('records every handler that failed, by name, with what was thrown', () => {
    const span = process({});
    span.handlerFailed(new TypeError('no such order'), 'billing');
    span.handlerFailed(new NonRetryableError('closed'), 'mail');
    span.end('error');
    const { status, attributes, events } = sdk.span('process orders.stream');
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'closed' });
    expect(attributes['error.type']).toBe('NON_RETRYABLE');
    expect(events.map(({ name }) => name)).toEqual(['exception', 'exception']);
    expect(events[0]?.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'no such order',
      'exception.stacktrace': expect.stringContaining('tracing-process.test'),
      'omnibus.handler.name': 'billing',
    });
  });

  it.each([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'boom', 'string'],
    ['a frozen object', Object.freeze({}), 'Object'],
    ['an object without a prototype', Object.create(null), 'object'],
  ])('can record %s', (_, thrown, type) => {
    const span = process({});
    span.handlerFailed(thrown, 'billing');
    span.end('error');
    expect(sdk.span('process orders.stream').attributes['error.type']).toBe(type);
  });

  it('is an error also when nothing was thrown', () => {
    process({}).end('error');
    expect(sdk.span('process orders.stream').status.code).toBe(SpanStatusCode.ERROR);
  });

  it('exists for a record that cannot be read', () => {
    const span = process(
      { traceparent: TRACEPARENT },
      { event: undefined, record: { ...record(), value: null, position: 'x' } },
    );
    span.handlerFailed(new BusError('DESERIALIZATION', 'not JSON'), 'none');
    span.end('error');
    const { attributes } = sdk.span('process orders.stream');
    expect(attributes).not.toHaveProperty('messaging.message.id');
    expect(attributes).not.toHaveProperty('messaging.kafka.offset');
    expect(attributes).toMatchObject({
      'messaging.message.body.size': 0,
      'messaging.kafka.message.tombstone': true,
    });
  });
});

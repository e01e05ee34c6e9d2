import { context, propagation, trace } from '@opentelemetry/api';
import { isTracingSuppressed, suppressTracing } from '@opentelemetry/core';

import { createTracing, type ProcessInfo, type Tracing } from '../src/tracing.js';
import {
  event,
  makeSdk,
  record,
  registerContextManager,
  registerSdk,
  spanContextOf,
  TRACING,
  unregisterSdk,
} from './otel-sdk.js';

afterEach(unregisterSdk);

const INFO: ProcessInfo = {
  record: record(),
  event: event('e1'),
  group: 'billing',
  partition: 0,
  attempt: 1,
  destination: 'orders.stream',
  handlerCount: 1,
  replay: false,
};

describe('without an SDK', () => {
  it('traces nothing and adds nothing', () => {
    registerContextManager();
    const tracing = createTracing(TRACING);
    expect(tracing.enabled).toBe(false);
    expect(tracing.publish([event('e1')], 'orders.stream')).toBeUndefined();
    expect(tracing.process(INFO)).toBeUndefined();
    expect(tracing.suppress(() => context.active())).toBe(context.active());
  });

  it('begins when an SDK is registered later, stops when it is disabled, and goes on with the next', () => {
    const tracing = createTracing(TRACING);
    expect(tracing.enabled).toBe(false);
    const first = registerSdk();
    tracing.publish([event('e1')], 'orders.stream')?.end();
    expect(first.spans()).toHaveLength(1);
    unregisterSdk();
    expect(tracing.enabled).toBe(false);
    const second = registerSdk();
    tracing.publish([event('e2')], 'orders.stream')?.end();
    expect(second.spans()).toHaveLength(1);
    expect(first.spans()).toHaveLength(1);
  });

  it('does nothing when it is switched off, whatever is registered', () => {
    const sdk = registerSdk();
    const tracing = createTracing({ ...TRACING, enabled: false });
    expect(tracing.enabled).toBe(false);
    expect(tracing.publish([event('e1')], 'orders.stream')).toBeUndefined();
    expect(tracing.suppress(() => isTracingSuppressed(context.active()))).toBe(false);
    expect(sdk.spans()).toHaveLength(0);
  });
});

describe('without the API package', () => {
  function createTracingWithoutApi(code: string): Tracing {
    jest.doMock('@opentelemetry/api', () => {
      throw Object.assign(new Error('@opentelemetry/api cannot be loaded'), { code });
    });
    try {
      let tracing: Tracing | undefined;
      jest.isolateModules(() => {
        const copy = require('../src/tracing.js') as typeof import('../src/tracing.js');
        tracing = copy.createTracing(TRACING);
      });
      return tracing as unknown as Tracing;
    } finally {
      jest.dontMock('@opentelemetry/api');
    }
  }

  it('traces nothing, even when another package brought an SDK', () => {
    registerSdk();
    const tracing = createTracingWithoutApi('MODULE_NOT_FOUND');
    expect(tracing.enabled).toBe(false);
    expect(tracing.publish([event('e1')], 'orders.stream')).toBeUndefined();
    expect(tracing.suppress(() => 7)).toBe(7);
  });

  it('says so when the package is there and broken', () => {
    expect(() => createTracingWithoutApi('ERR_INVALID_PACKAGE_CONFIG')).toThrow('cannot be loaded');
  });
});

describe('suppress', () => {
  it('switches instrumentation off for the call, the way SDKs know', async () => {
    registerSdk();
    const tracing = createTracing(TRACING);
    const seen = tracing.suppress(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return isTracingSuppressed(context.active());
    });
    expect(await seen).toBe(true);
    expect(isTracingSuppressed(context.active())).toBe(false);
  });

  it('can be switched off', () => {
    registerSdk();
    const tracing = createTracing({ ...TRACING, suppressClientSpans: false });
    expect(tracing.suppress(() => isTracingSuppressed(context.active()))).toBe(false);
  });

  it('is respected: a publish under suppression makes no span and no headers', () => {
    const sdk = registerSdk();
    const tracing = createTracing(TRACING);
    const spans = context.with(suppressTracing(context.active()), () => [
      tracing.publish([event('e1')], 'orders.stream'),
      tracing.publish([event('e1'), event('e2')], 'orders.stream'),
    ]);
    for (const span of spans) {
      expect(span?.headersFor(0)).toEqual({});
      span?.end();
    }
    expect(sdk.spans()).toHaveLength(0);
  });
});

describe('with a tracer provider of its own and nothing registered', () => {
  it('still carries W3C trace context and baggage from publish to handler', () => {
    registerContextManager();
    const sdk = makeSdk();
    const tracing = createTracing({ ...TRACING, tracerProvider: sdk.provider });
    const origin = {
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      tracestate: 'vendor=abc',
      baggage: 'tenant=acme%20%26%20sons;secret, user=7',
    };
    const handled = tracing.process({ ...INFO, record: record(origin) });
    const headers = handled?.run(() => {
      expect(propagation.getActiveBaggage()?.getEntry('user')?.value).toBe('7');
      return tracing.publish([event('e2')], 'orders.stream')?.headersFor(0);
    });
    handled?.end('ok');
    expect(headers).toMatchObject({ tracestate: 'vendor=abc', baggage: 'tenant=acme%20%26%20sons,user=7' });
    expect(spanContextOf(headers ?? {})?.traceId).toBe('a'.repeat(32));
    expect(sdk.span('process orders.stream').parentSpanContext?.spanId).toBe('b'.repeat(16));
    expect(trace.getTracerProvider()).not.toBe(sdk.provider);
  });

  it.each([
    ['of version 00 with something behind it', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01-x`],
    ['of the forbidden version', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['all zero', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['in capitals', `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['nonsense', 'nonsense'],
  ])('starts a new trace when the traceparent is %s', (_, traceparent) => {
    const sdk = makeSdk();
    const tracing = createTracing({ ...TRACING, tracerProvider: sdk.provider });
    const headers = { traceparent, tracestate: 7 as never, baggage: '%zz=%,=x,a' };
    tracing.process({ ...INFO, record: record(headers) })?.end('ok');
    expect(sdk.span('process orders.stream').parentSpanContext).toBeUndefined();
  });

  it('reads what a later version of traceparent appends', () => {
    const sdk = makeSdk();
    const tracing = createTracing({ ...TRACING, tracerProvider: sdk.provider });
    const traceparent = `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01-more`;
    tracing.process({ ...INFO, record: record({ traceparent }) })?.end('ok');
    expect(sdk.span('process orders.stream').parentSpanContext?.spanId).toBe('b'.repeat(16));
  });

  it('sends no more baggage than anyone must pass on', () => {
    registerContextManager();
    const tracing = createTracing({ ...TRACING, tracerProvider: makeSdk().provider });
    const entries = Array.from({ length: 200 }, (_, n) => [`k${n}`, { value: 'v'.repeat(100) }]);
    const baggage = propagation.createBaggage(Object.fromEntries(entries));
    const headers = context.with(propagation.setBaggage(context.active(), baggage), () =>
      tracing.publish([event('e1')], 'orders.stream')?.headersFor(0),
    );
    expect(headers?.baggage?.length).toBeGreaterThan(8_000);
    expect(headers?.baggage?.length).toBeLessThanOrEqual(8_192);
  });
});

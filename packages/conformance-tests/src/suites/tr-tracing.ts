import assert from 'node:assert/strict';

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { makeEvent, makeEvents } from '../events.js';
import { type Suite, suite } from '../registry.js';
import { quickRetries } from './support.js';
import { startTelemetry, type Telemetry } from './support-telemetry.js';
import { goldenCases } from './tr-golden.js';
import { withoutSdkCases } from './tr-headers.js';
import { keptTraceCases } from './tr-kept.js';

/** One trace from who publishes to who handles, on every broker. */
export const TRACING: Suite = suite('TR', [
  {
    id: 'TR01',
    title: "the consumer's span belongs to the producer's trace, by link or as its child",
    async run(t) {
      const telemetry = await startTelemetry(t);
      const tracing = { tracerProvider: telemetry.provider };
      await t.consumer({ group: 'linked', overrides: { tracing: { ...tracing, parent: 'link' } } });
      await t.consumer({ group: 'nested', overrides: { tracing: { ...tracing, parent: 'parent' } } });
      const publisher = await t.bus({ overrides: { tracing } });
      await telemetry.inSpan('request', () => t.publish(publisher, makeEvent()));
      const processed = await telemetry.untilNamed('process', 2);
      const [send] = telemetry.named('send');
      const request = telemetry.spans().find(({ name }) => name === 'request');
      assert.ok(send && request);
      assert.equal(
        send.parentSpanContext?.spanId,
        request.spanContext().spanId,
        'the send span is not part of the request',
      );
      const linked = processed.find((span) => groupOf(span) === 'linked');
      const nested = processed.find((span) => groupOf(span) === 'nested');
      assert.deepEqual(
        linked?.links.map(({ context }) => [context.traceId, context.spanId]),
        [identityOf(send)],
      );
      assert.equal(linked?.parentSpanContext, undefined);
      assert.equal(nested?.parentSpanContext?.spanId, send.spanContext().spanId);
      assert.equal(nested?.spanContext().traceId, request.spanContext().traceId);
    },
  },
  ...goldenCases,
  {
    id: 'TR03',
    async run(t) {
      const telemetry = await startTelemetry(t);
      const tracing = { tracerProvider: telemetry.provider };
      const { bus } = await t.consumer({ overrides: { tracing, ...quickRetries(3) } });
      await t.publish(bus, makeEvent({ behaviour: { failAttempts: 2 } }));
      const spans = await telemetry.untilNamed('process', 3);
      const { SpanStatusCode } = telemetry.api;
      assert.equal(new Set(spans.map((span) => span.spanContext().spanId)).size, 3);
      assert.deepEqual(
        spans.map((span) => span.attributes['omnibus.delivery.attempt']),
        [1, 2, 3],
      );
      assert.deepEqual(
        spans.map((span) => span.status.code),
        [SpanStatusCode.ERROR, SpanStatusCode.ERROR, SpanStatusCode.UNSET],
      );
      for (const [index, span] of spans.entries()) {
        const exceptions = span.events.filter(({ name }) => name === 'exception');
        assert.equal(exceptions.length, index < 2 ? 1 : 0);
        if (index === 2) continue;
        assert.match(
          String(exceptions[0]?.attributes?.['exception.message']),
          new RegExp(`attempt ${index + 1} of 2`),
        );
        assert.equal(span.attributes['error.type'], 'Error');
      }
      await t.untilQuiet(bus);
      assert.equal(telemetry.named('process').length, 3);
    },
  },
  ...keptTraceCases,
  {
    id: 'TR05',
    title: 'what a handler publishes is a child of its span: A causes B causes C in one trace',
    async run(t) {
      const telemetry = await startTelemetry(t);
      const tracing = { tracerProvider: telemetry.provider, parent: 'parent' } as const;
      const next: Readonly<Record<string, string>> = { A: 'B', B: 'C' };
      const { bus } = await t.consumer({
        overrides: { tracing },
        handler: async (event, context) => {
          const type = next[event.eventType];
          if (type) await t.publish(context, makeEvent({ type, from: event.aggregateVersion + 1 }));
        },
      });
      await telemetry.inSpan('request', () => t.publish(bus, makeEvent({ type: 'A' })));
      const processed = await telemetry.untilNamed('process', 3);
      const sends = telemetry.named('send');
      assert.equal(
        new Set(telemetry.spans().map((span) => span.spanContext().traceId)).size,
        1,
        'more than one trace',
      );
      for (const [cause, effect] of [
        ['A', 'B'],
        ['B', 'C'],
      ] as const) {
        assert.equal(
          ofType(sends, effect).parentSpanContext?.spanId,
          ofType(processed, cause).spanContext().spanId,
          `${cause} to ${effect}`,
        );
        assert.equal(
          ofType(processed, effect).parentSpanContext?.spanId,
          ofType(sends, effect).spanContext().spanId,
        );
      }
    },
  },
  {
    id: 'TR05',
    title: 'a batch keeps one context per event',
    async run(t) {
      const telemetry = await startTelemetry(t);
      const tracing = { tracerProvider: telemetry.provider };
      const { bus } = await t.consumer({ overrides: { tracing } });
      const events = makeEvents({ keys: 5 });
      await t.publish(bus, events);
      const processed = await telemetry.untilNamed('process', 5);
      for (const { eventId } of events) {
        const created = ofMessage(telemetry.named('create'), eventId);
        const [link, ...more] = ofMessage(processed, eventId).links;
        assert.deepEqual([link?.context.traceId, link?.context.spanId], identityOf(created));
        assert.equal(more.length, 0);
      }
      const [send] = telemetry.named('send');
      assert.equal(send?.links.length, 5);
    },
  },
  ...withoutSdkCases,
]);

function groupOf(span: ReadableSpan): unknown {
  return span.attributes['messaging.consumer.group.name'];
}

function identityOf(span: ReadableSpan): [string, string] {
  const { traceId, spanId } = span.spanContext();
  return [traceId, spanId];
}

function ofType(spans: ReturnType<Telemetry['named']>, type: string): ReadableSpan {
  return only(
    spans.filter((span) => span.attributes['omnibus.event.type'] === type),
    type,
  );
}

function ofMessage(spans: ReturnType<Telemetry['named']>, eventId: string): ReadableSpan {
  return only(
    spans.filter((span) => span.attributes['messaging.message.id'] === eventId),
    eventId,
  );
}

function only(spans: readonly ReadableSpan[], what: string): ReadableSpan {
  const [span] = spans;
  if (!span || spans.length > 1) throw new Error(`there are ${spans.length} spans of ${what}, not one`);
  return span;
}

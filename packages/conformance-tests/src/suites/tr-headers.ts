import assert from 'node:assert/strict';

import { isBusError } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { startTelemetry } from './support-telemetry.js';
import { wireBody } from './support-wire.js';

const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage', 'b3', 'uber-trace-id'];
const GIVEN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const INVALID: readonly string[] = [
  'nonsense',
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331',
  '',
];

/** TR06: what tracing adds to records, and what it never does. */
export const withoutSdkCases: readonly ConformanceCase[] = [
  {
    id: 'TR06',
    title: 'without an SDK no header is added',
    requires: ['inspect.readRaw'],
    async run(t) {
      const bus = await t.bus();
      await bus.publish(makeEvent());
      await bus.publish([makeEvent({ from: 2 }), makeEvent({ from: 3 })]);
      assert.deepEqual(await traceHeadersOf(t), [[], [], []]);
    },
  },
  {
    id: 'TR06',
    title: "the application's headers are never overwritten",
    requires: ['inspect.readRaw'],
    async run(t) {
      const telemetry = await startTelemetry(t);
      const bus = await t.bus({ overrides: { tracing: { tracerProvider: telemetry.provider } } });
      await bus.publish(makeEvent(), { headers: { 'X-Trace': 'mine' } });
      let placed = 1;
      for (const name of ['traceparent', 'tracestate', 'baggage']) {
        const value = name === 'traceparent' ? GIVEN : 'given=1';
        try {
          await bus.publish(makeEvent({ from: placed + 1 }), { headers: { [name]: value } });
        } catch (error) {
          // Refused because the name is reserved: then it was not overwritten either.
          assert.ok(isBusError(error) && error.code === 'SERIALIZATION', String(error));
          continue;
        }
        placed += 1;
        const records = await t.inspect.readRaw(t.namespace);
        assert.ok(
          records.some(({ headers }) => headers[name] === value),
          `${name} was overwritten`,
        );
      }
      const records = await t.inspect.readRaw(t.namespace);
      assert.equal(records.length, placed);
      assert.ok(records.some(({ headers }) => headers['X-Trace'] === 'mine'));
    },
  },
  {
    id: 'TR06',
    title: 'an invalid traceparent begins a new trace, and the event is handled',
    requires: ['inspect.putRaw'],
    async run(t) {
      const telemetry = await startTelemetry(t);
      for (const [parent, propagator] of [
        ['link', 'registered'],
        ['parent', 'registered'],
        ['link', 'none'],
        ['parent', 'none'],
      ] as const) {
        // Then the bus reads trace contexts itself.
        if (propagator === 'none') telemetry.api.propagation.disable();
        const namespace = t.newNamespace();
        const group = `${parent}-${propagator}`;
        const overrides = { tracing: { tracerProvider: telemetry.provider, parent } };
        await t.consumer({ namespace, group, overrides });
        for (const traceparent of INVALID) {
          await t.inspect.putRaw(namespace, { key: 'key-0', value: wireBody(), headers: { traceparent } });
        }
        await t.untilHandled(INVALID.length, { group });
        await t.until('the spans', () => ofGroup(group).length === INVALID.length);
        for (const span of ofGroup(group)) {
          assert.equal(span.links.length, 0);
          assert.equal(span.parentSpanContext, undefined);
        }
        assert.equal(new Set(ofGroup(group).map((span) => span.spanContext().traceId)).size, INVALID.length);
      }

      function ofGroup(group: string): ReturnType<typeof telemetry.named> {
        return telemetry
          .named('process')
          .filter((span) => span.attributes['messaging.consumer.group.name'] === group);
      }
    },
  },
];

async function traceHeadersOf(t: CaseContext): Promise<string[][]> {
  const records = await t.inspect.readRaw(t.namespace);
  return records.map(({ headers }) =>
    Object.keys(headers).filter((name) => TRACE_HEADERS.includes(name.toLowerCase())),
  );
}

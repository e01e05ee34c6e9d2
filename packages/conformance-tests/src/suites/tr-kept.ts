import assert from 'node:assert/strict';

import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { quickRetries } from './support.js';
import { startTelemetry } from './support-telemetry.js';

const REMOTE = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
  isRemote: true,
};

/** TR04: the way through the dead letters does not break a trace. */
export const keptTraceCases: readonly ConformanceCase[] = [
  {
    id: 'TR04',
    title: 'trace, tracestate and baggage are kept through retry, dead letter and replay',
    async run(t) {
      const telemetry = await startTelemetry(t);
      const { api, provider } = telemetry;
      const seen: Readonly<Record<string, unknown>>[] = [];
      let broken = true;
      const { bus } = await t.consumer({
        overrides: { tracing: { tracerProvider: provider, parent: 'parent' }, ...quickRetries(1) },
        handler: () => {
          const own = api.trace.getActiveSpan()?.spanContext();
          seen.push({
            traceId: own?.traceId,
            tracestate: own?.traceState?.get('vendor'),
            baggage: api.propagation.getActiveBaggage()?.getEntry('tenant')?.value,
          });
          if (broken) throw new Error('broken');
        },
      });
      const remote = api.trace.setSpanContext(api.ROOT_CONTEXT, {
        ...REMOTE,
        traceState: api.createTraceState('vendor=opaque'),
      });
      const baggage = api.propagation.createBaggage({ tenant: { value: 'acme' } });
      const caller = api.propagation.setBaggage(remote, baggage);
      const event = makeEvent();
      await api.context.with(caller, () => t.publish(bus, event));
      await t.until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
      broken = false;
      assert.equal(await bus.deadLetters.replay({}), 1);
      await t.untilHandled(1);
      await t.untilQuiet(bus);
      assert.deepEqual(
        seen,
        Array.from({ length: 3 }, () => ({ traceId: REMOTE.traceId, tracestate: 'opaque', baggage: 'acme' })),
      );
      const [send, ...others] = telemetry
        .named('send')
        .filter((span) => span.attributes['messaging.message.id'] === event.eventId);
      assert.equal(send?.parentSpanContext?.spanId, REMOTE.spanId);
      for (const span of telemetry.named('process')) {
        // A replay that has a send span of its own continues the trace as well.
        const parents = [send, ...others].map((sent) => sent?.spanContext().spanId);
        assert.ok(
          parents.includes(span.parentSpanContext?.spanId ?? ''),
          'processed outside of what was sent',
        );
      }
    },
  },
];

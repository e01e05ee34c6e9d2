import assert from 'node:assert/strict';

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { makeEvent, makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { startTelemetry } from './support-telemetry.js';

/** What is compared of a span. */
interface Golden {
  readonly name: string;
  readonly kind: 'PRODUCER' | 'CONSUMER' | 'CLIENT';
  readonly attributes: Readonly<Record<string, unknown>>;
}

const EVENT = {
  'messaging.message.id': '<text>',
  'messaging.message.conversation_id': '<text>',
  'omnibus.event.type': 'Counted',
  'omnibus.aggregate.id': '<key>',
  'omnibus.aggregate.type': 'Counter',
};

const operation = (name: string): Record<string, unknown> => ({
  'messaging.system': '<system>',
  'messaging.client.id': 'golden',
  'messaging.destination.name': '<destination>',
  'messaging.operation.name': name,
  'messaging.operation.type': name,
});

const PROCESS: Golden = {
  name: 'process <destination>',
  kind: 'CONSUMER',
  attributes: {
    ...operation('process'),
    ...EVENT,
    'messaging.consumer.group.name': 'group',
    'messaging.destination.partition.id': '<text>',
    'messaging.message.body.size': '<number>',
    'omnibus.message.position': '<text>',
    'omnibus.delivery.attempt': 1,
    'omnibus.delivery.redelivered': false,
    'omnibus.delivery.replay': false,
    'omnibus.handler.count': 1,
  },
};

const OF_ONE: readonly Golden[] = [
  { name: 'send <destination>', kind: 'PRODUCER', attributes: { ...operation('send'), ...EVENT } },
  PROCESS,
];

const OF_TWO: readonly Golden[] = [
  { name: 'create <destination>', kind: 'PRODUCER', attributes: { ...operation('create'), ...EVENT } },
  { name: 'create <destination>', kind: 'PRODUCER', attributes: { ...operation('create'), ...EVENT } },
  {
    name: 'send <destination>',
    kind: 'CLIENT',
    attributes: { ...operation('send'), 'messaging.batch.message_count': 2 },
  },
  PROCESS,
  PROCESS,
];

/** Values that differ from run to run, or from broker to broker, and that only need to be there. */
const VARYING: Readonly<Record<string, string>> = {
  'messaging.system': '<system>',
  'messaging.destination.name': '<destination>',
  'omnibus.aggregate.id': '<key>',
};
const TYPED: readonly string[] = [
  'messaging.message.id',
  'messaging.message.conversation_id',
  'messaging.destination.partition.id',
  'messaging.message.body.size',
  'omnibus.message.position',
];

/** TR02: what a span is called, of which kind it is and what it says is the same on every broker. */
export const goldenCases: readonly ConformanceCase[] = [
  {
    id: 'TR02',
    title: 'names, kinds and attributes of spans are the same on every broker',
    async run(t) {
      for (const [events, golden] of [
        [[makeEvent()], OF_ONE],
        [makeEvents({ keys: 2 }), OF_TWO],
      ] as const) {
        const telemetry = await startTelemetry(t);
        const namespace = t.newNamespace();
        const tracing = { tracerProvider: telemetry.provider };
        const { bus } = await t.consumer({ namespace, overrides: { tracing, consumerName: 'golden' } });
        await t.publish(bus, events);
        await telemetry.untilNamed('process', events.length);
        await t.untilQuiet(bus);
        const seen = telemetry.spans().map((span) => normalised(span, namespace, telemetry.api.SpanKind));
        assert.deepEqual(seen.sort(byName), [...golden].sort(byName));
        // Namespaces side by side are for SU08.
        await bus.shutdown();
      }
    },
  },
];

function byName(a: Golden, b: Golden): number {
  return a.name.localeCompare(b.name);
}

function normalised(span: ReadableSpan, namespace: string, kinds: Readonly<Record<number, string>>): Golden {
  const destination = String(span.attributes['messaging.destination.name']);
  assert.ok(destination.includes(namespace), `destination ${destination}`);
  const system = String(span.attributes['messaging.system']);
  const attributes = Object.entries(span.attributes)
    // The conventions name further attributes for some systems: theirs alone.
    .filter(([name]) => !name.startsWith(`messaging.${system}.`))
    .map(([name, value]) => [name, VARYING[name] ?? (TYPED.includes(name) ? typeName(value) : value)]);
  return {
    name: span.name.replace(destination, '<destination>'),
    kind: kinds[span.kind] as Golden['kind'],
    attributes: Object.fromEntries(attributes) as Golden['attributes'],
  };
}

function typeName(value: unknown): string {
  return typeof value === 'string' ? '<text>' : `<${typeof value}>`;
}

import { type DomainEvent, type EventBusOptions, type EventCodec, jsonCodec } from '@omnibus/core';
import {
  type InboundRecord,
  partitionOf,
  resolveEventBusOptions,
  TransportEventBus,
} from '@omnibus/core/transport';

import { type Batch, batchesOf, EVENT_TYPE, type PlainEvent } from '../events.js';
import { interleaved } from '../measure.js';
import { NullTransport } from '../null-transport.js';
import { absoluteRow, type Row } from '../report/row.js';
import type { CellRun, CoreCell } from './cell.js';

const PARTITIONS = 8;
const CALL_SIZE = 1_000;
const TARGET = { kind: 'at most', bound: 3 } as const;

/** What core costs on a transport that costs nothing; and beside it what JSON alone costs on the same events. */
export const engineCost: CoreCell = {
  id: 'E',
  title: 'cost of core per event, on a transport that does nothing',
  needsBroker: false,
  async measure(run): Promise<readonly Row[]> {
    const costs = costsOf(run);
    const rounds = await interleaved(run, 'E', Object.keys(costs), async (what) => {
      const elapsedMs = await costs[what]?.();
      return ((elapsedMs ?? 0) * 1_000) / run.events;
    });
    const row = (what: string, bus: string, raw?: string): Row =>
      absoluteRow(
        { cell: 'E', what, unit: 'µs/event', ...(raw === undefined && { target: TARGET }) },
        rounds[bus] ?? [],
        raw === undefined ? undefined : rounds[raw],
      );
    return [
      row('consume, without codec', 'consume without codec'),
      row('consume; raw: JSON.parse', 'consume', 'JSON.parse'),
      row('publish, without codec', 'publish without codec'),
      row('publish; raw: JSON.stringify', 'publish', 'JSON.stringify'),
    ];
  },
};

/** What is timed. Each resolves with milliseconds. */
function costsOf({ events }: CellRun): Readonly<Record<string, () => Promise<number>>> {
  const batches = batchesOf(events, CALL_SIZE);
  const plain = batches.flatMap((batch) => batch.plain);
  const records = batches.flatMap((batch) => batch.events.map(recordOf));
  const codec = codecAtNoCost(batches[0]?.events[0] as DomainEvent);
  return {
    'consume without codec': () => consume(records, { codec }),
    consume: () => consume(records, {}),
    'JSON.parse': async () => parse(records),
    'publish without codec': () => publish(batches, { codec }),
    publish: () => publish(batches, {}),
    'JSON.stringify': async () => write(plain),
  };
}

async function consume(records: readonly InboundRecord[], options: EventBusOptions): Promise<number> {
  const byPartition = Array.from({ length: PARTITIONS }, (): InboundRecord[] => []);
  for (const record of records) byPartition[partitionOf(record.key ?? '', PARTITIONS)]?.push(record);
  const bus = busOn(new NullTransport(byPartition), options);
  let handled = 0;
  const finished = new Promise<number>((resolve) => {
    bus.subscribe(EVENT_TYPE, () => {
      handled += 1;
      if (handled === records.length) resolve(performance.now());
    });
  });
  await bus.connect();
  const startedAtMs = performance.now();
  await bus.startConsuming();
  const elapsedMs = (await finished) - startedAtMs;
  await bus.shutdown();
  return elapsedMs;
}

async function publish(batches: readonly Batch[], options: EventBusOptions): Promise<number> {
  const bus = busOn(new NullTransport(Array.from({ length: PARTITIONS }, () => [])), options);
  await bus.connect();
  const startedAtMs = performance.now();
  for (const { events } of batches) await bus.publish(events);
  const elapsedMs = performance.now() - startedAtMs;
  await bus.shutdown();
  return elapsedMs;
}

function parse(records: readonly InboundRecord[]): number {
  const startedAtMs = performance.now();
  let parsed: unknown;
  for (const { value } of records) parsed = JSON.parse(String(value));
  return parsed ? performance.now() - startedAtMs : Number.NaN;
}

function write(plain: readonly PlainEvent[]): number {
  const startedAtMs = performance.now();
  let bytes = 0;
  for (const event of plain) bytes += Buffer.from(JSON.stringify(event)).byteLength;
  return bytes > 0 ? performance.now() - startedAtMs : Number.NaN;
}

function busOn(transport: NullTransport, options: EventBusOptions): TransportEventBus {
  return new TransportEventBus({ transport, options: resolveEventBusOptions(options) });
}

function codecAtNoCost(event: DomainEvent): EventCodec {
  const bytes = jsonCodec.encode(event);
  return { contentType: jsonCodec.contentType, encode: () => bytes, decode: () => event };
}

function recordOf(event: DomainEvent, index: number): InboundRecord {
  return {
    key: event.aggregateId,
    value: Buffer.from(jsonCodec.encode(event)),
    headers: { event_id: event.eventId, event_type: event.eventType },
    position: String(index),
    timestampMs: event.occurredAt.getTime(),
    redelivered: false,
  };
}

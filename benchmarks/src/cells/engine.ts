import { type DomainEvent, type EventBusOptions, type EventCodec, jsonCodec } from '@omnibus/core';
import {
  type InboundRecord,
  partitionOf,
  resolveEventBusOptions,
  TransportEventBus,
} from '@omnibus/core/transport';

import { type Batch, batchesOf, EVENT_TYPE } from '../events.js';
import { effortOf, interleaved } from '../measure.js';
import { NullTransport, type Supply } from '../null-transport.js';
import { absoluteRow, type Row } from '../report/row.js';
import type { CellRun, CoreCell } from './cell.js';

const PARTITIONS = 8;
const CALL_SIZE = 1_000;
/** Times the events: what lasts some tenths of a second is mostly what V8 needs to get going. */
const PASSES = 4;
/** Records that a partition delivers at once. */
const DELIVERY_SIZE = 500;
const TARGET = { kind: 'at most', bound: 3 } as const;

/** What core costs on a transport that costs nothing; and beside it what JSON alone costs on the same events. */
export const engineCost: CoreCell = {
  id: 'E',
  title: 'cost of core per event, on a transport that does nothing',
  needsBroker: false,
  async measure(run): Promise<readonly Row[]> {
    const costs = costsOf(run);
    const rounds = await interleaved(
      run,
      'E',
      Object.keys(costs),
      async (what) => (await costs[what]?.()) ?? 0,
    );
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

/** What is timed. Each resolves with microseconds of processor time for one event. */
function costsOf(run: CellRun): Readonly<Record<string, () => Promise<number>>> {
  const events = run.events * PASSES;
  const batches = batchesOf(events, CALL_SIZE);
  const records = batches.slice(0, PARTITIONS).flatMap((batch) => batch.events.map(recordOf));
  const codec = codecAtNoCost(batches[0]?.events[0] as DomainEvent);
  return {
    'consume without codec': () => consume(suppliesOf(records, events), { codec }),
    consume: () => consume(suppliesOf(records, events), {}),
    'JSON.parse': () => parse(records, events),
    'publish without codec': () => publish(batches, events, { codec }),
    publish: () => publish(batches, events, {}),
    'JSON.stringify': () => write(batches, events),
  };
}

/** About `count` records over all partitions; at least one delivery of each. */
function suppliesOf(records: readonly InboundRecord[], count: number): readonly Supply[] {
  const times = Math.max(1, Math.round(count / PARTITIONS / DELIVERY_SIZE));
  const byPartition = Array.from({ length: PARTITIONS }, (): InboundRecord[] => []);
  for (const record of records) byPartition[partitionOf(record.key ?? '', PARTITIONS)]?.push(record);
  return byPartition.map((own) => ({ records: own.slice(0, DELIVERY_SIZE), times }));
}

async function consume(supplies: readonly Supply[], options: EventBusOptions): Promise<number> {
  const count = supplies.reduce((sum, { records, times }) => sum + records.length * times, 0);
  const bus = busOn(new NullTransport(supplies), options);
  let handled = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  bus.subscribe(EVENT_TYPE, () => {
    handled += 1;
    if (handled === count) finish();
  });
  await bus.connect();
  const cost = await processorTime(count, async () => {
    await bus.startConsuming();
    await finished;
  });
  await bus.shutdown();
  return cost;
}

async function publish(batches: readonly Batch[], count: number, options: EventBusOptions): Promise<number> {
  const nothing = Array.from({ length: PARTITIONS }, () => ({ records: [], times: 0 }));
  const bus = busOn(new NullTransport(nothing), options);
  await bus.connect();
  const cost = await processorTime(count, async () => {
    for (const { events } of batches) await bus.publish(events);
  });
  await bus.shutdown();
  return cost;
}

function parse(records: readonly InboundRecord[], count: number): Promise<number> {
  return processorTime(count, async () => {
    for (let i = 0; i < count; i += 1) JSON.parse(String(records[i % records.length]?.value));
  });
}

function write(batches: readonly Batch[], count: number): Promise<number> {
  return processorTime(count, async () => {
    for (const { plain } of batches) for (const event of plain) Buffer.from(JSON.stringify(event));
  });
}

async function processorTime(events: number, work: () => Promise<void>): Promise<number> {
  return (await effortOf(events, work)).processorUs;
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

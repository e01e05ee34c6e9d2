import { ConsumeEngine } from '../src/consume-engine.js';
import { createEvent, type DomainEvent } from '../src/event.js';
import { type BusStatus, type EventBusOptions, type HandlerContext, jsonCodec } from '../src/index.js';
import { createMetrics } from '../src/metrics.js';
import { resolveEventBusOptions } from '../src/options.js';
import { Registry } from '../src/registry.js';
import { StatsCollector } from '../src/stats.js';
import { systemClock, TimerQueue } from '../src/timers.js';
import { createTracing } from '../src/tracing.js';
import type {
  AssignedPartition,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  SettledBatch,
} from '../src/transport.js';
import { TRACING } from './otel-sdk.js';

type Handle = (event: DomainEvent, context: HandlerContext) => void | Promise<void>;

/** A port that keeps what it is told, and fails or hangs where a test wants it to. */
export class HandPort implements PartitionPort {
  readonly settledPositions: string[] = [];
  readonly letters: OutboundRecord[] = [];
  readonly journals: string[] = [];
  watermark: string | undefined;
  isOwned = true;
  paused = false;
  saving: () => Promise<void> = async () => undefined;
  flushing: () => Promise<void> = async () => undefined;
  writing: () => Promise<void> = async () => undefined;

  settled({ records, watermark }: SettledBatch): void {
    this.settledPositions.push(...records.map(({ position }) => position));
    this.watermark = watermark?.position;
  }

  flush(): Promise<void> {
    return this.flushing();
  }

  async saveJournal(journal: string): Promise<void> {
    await this.saving();
    this.journals.push(journal);
  }

  async deadLetter(_source: InboundRecord, letter: OutboundRecord): Promise<void> {
    await this.writing();
    this.letters.push(letter);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

const engines: { readonly engine: ConsumeEngine; readonly timers: TimerQueue }[] = [];

/** Ends every engine made here. */
export function closeEngines(): void {
  for (const { engine, timers } of engines.splice(0)) {
    engine.close();
    timers.close();
  }
}

export interface HandEngine {
  readonly engine: ConsumeEngine;
  readonly stats: StatsCollector;
  readonly registry: Registry;
  readonly statuses: BusStatus[];
  readonly timers: TimerQueue;
  assign(partition: number): { readonly lane: AssignedPartition; readonly port: HandPort };
}

/** The engine without a bus: what adapters do to it is done by hand. */
export function handEngine(options: EventBusOptions, handle: Handle, opener = 'me'): HandEngine {
  const registry = new Registry();
  registry.subscribe('Counted', handle);
  const stats = new StatsCollector();
  const statuses: BusStatus[] = [];
  const timers = new TimerQueue(systemClock);
  const names = { system: 'hand', destination: 'events', group: 'g' };
  const engine = new ConsumeEngine({
    options: resolveEventBusOptions(options),
    group: names.group,
    destination: names.destination,
    maxRecordBytes: Number.MAX_SAFE_INTEGER,
    sharedReplays: true,
    opener,
    registry,
    services: { publish: async () => undefined, textHeaders: () => ({}) },
    stats,
    tracing: createTracing({ ...TRACING, enabled: false }),
    metrics: createMetrics({ enabled: false, ...names, stats }),
    clock: systemClock,
    timers,
    random: () => 0.5,
    onError: (error) => statuses.push({ type: 'error', atMs: 0, error }),
    onStatus: (status) => statuses.push(status),
  });
  engines.push({ engine, timers });
  return {
    engine,
    stats,
    registry,
    statuses,
    timers,
    assign(partition) {
      const port = new HandPort();
      return { lane: engine.assign(partition, port), port };
    },
  };
}

/** `count` records from position `first` on; `keyOf` gives their keys. */
export function recordsOf(
  count: number,
  keyOf: (n: number) => string = (n) => `key-${n}`,
  first = 0,
): InboundRecord[] {
  return Array.from({ length: count }, (_, index) => recordOf(first + index, keyOf(first + index)));
}

export function recordOf(n: number, key: string, changes: Partial<InboundRecord> = {}): InboundRecord {
  const event = createEvent({
    eventType: 'Counted',
    aggregateId: key,
    aggregateType: 'Counter',
    aggregateVersion: n + 1,
    data: { n },
  });
  return {
    key,
    value: jsonCodec.encode(event),
    headers: {},
    position: String(n),
    timestampMs: 1,
    redelivered: false,
    ...changes,
  };
}

export const NO_JOURNALS: ReadonlyMap<number, string> = new Map();

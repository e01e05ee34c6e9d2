import type { ContextServices } from './context.js';
import type { BusError } from './errors.js';
import type { Metrics } from './metrics.js';
import type { ResolvedEventBusOptions } from './options.js';
import type { Registry } from './registry.js';
import type { StatsCollector } from './stats.js';
import type { BusStatus } from './status.js';
import type { Clock, TimerQueue } from './timers.js';
import type { Tracing } from './tracing-types.js';

/** What the publish path and the consume path of one bus share. Made once, by the bus. */
export interface EngineParts {
  readonly options: ResolvedEventBusOptions;
  /** The resolved consumer group. */
  readonly group: string;
  readonly destination: string;
  /** The largest body that the broker takes. */
  readonly maxRecordBytes: number;
  /** Whether `target_group` counts: not where nobody else sees a replay. */
  readonly sharedReplays: boolean;
  /** Names this process and bus in crash journals. */
  readonly opener: string;
  readonly registry: Registry;
  readonly services: ContextServices;
  readonly stats: StatsCollector;
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Back-offs and other rare deadlines: one timer for all. */
  readonly timers: TimerQueue;
  readonly random: () => number;
  onError(error: BusError): void;
  onStatus(status: BusStatus): void;
}

import type { BusError } from './errors.js';

/** Where a bus is in its life. `draining` and `closed` are final. */
export type BusState = 'idle' | 'connecting' | 'ready' | 'reconnecting' | 'draining' | 'closed';

/** What happened to the bus, for logs and alarms. Every member carries `atMs` (milliseconds since the epoch). */
export type BusStatus =
  | { readonly type: 'connected'; readonly atMs: number }
  | { readonly type: 'disconnected'; readonly atMs: number; readonly cause: BusError }
  | { readonly type: 'reconnected'; readonly atMs: number; readonly downMs: number }
  | {
      readonly type: 'rebalanced';
      readonly atMs: number;
      readonly group: string;
      readonly partitions: readonly number[];
    }
  | {
      readonly type: 'dead-lettered';
      readonly atMs: number;
      readonly group: string;
      readonly eventId?: string;
      readonly eventType?: string;
      readonly reason: string;
      readonly error: BusError;
    }
  | {
      readonly type: 'dropped';
      readonly atMs: number;
      readonly group: string;
      readonly eventId?: string;
      readonly eventType?: string;
      readonly reason: string;
      readonly error: BusError;
    }
  | {
      readonly type: 'halted';
      readonly atMs: number;
      readonly group: string;
      readonly partition: number;
      readonly error: BusError;
    }
  | { readonly type: 'error'; readonly atMs: number; readonly error: BusError }
  | { readonly type: 'warning'; readonly atMs: number; readonly message: string }
  | { readonly type: 'draining'; readonly atMs: number }
  | { readonly type: 'closed'; readonly atMs: number };

import type { Behaviour } from './behaviour.js';
import type { BusOverrides } from './subject.js';

/**
 * How a child process is told what to be. The history flows out through a pipe of its own (`HISTORY_FD`), written
 * synchronously: what is written before a handler starts is with the parent although the child is killed in it.
 */
export const HISTORY_FD = 3;

/** What a child is. */
export type ChildSpec = ConsumerSpec | PublisherSpec;

interface CommonSpec {
  /** Name in the history. */
  readonly name: string;
  readonly namespace: string;
  readonly group: string;
  readonly overrides: BusOverrides;
  /** As in `CreateRequest`. @default false */
  readonly asShipped?: boolean;
}

/** A consumer: subscribes, records, behaves as events ask. Ready when it consumes. Publishes on demand too. */
export interface ConsumerSpec extends CommonSpec {
  readonly role: 'consumer';
  /** Types to subscribe to. @default all */
  readonly types?: readonly string[];
  /** Work of every event, besides what the event asks for. @default 0 */
  readonly workMs?: number;
  /** Shut the bus down at SIGTERM and exit with 0. @default false */
  readonly drainOnSigterm?: boolean;
}

/** A publisher: publishes on demand (`publish`). Ready when connected. */
export interface PublisherSpec extends CommonSpec {
  readonly role: 'publisher';
}

/** Events that a child is to publish, in calls of `batch`, one after the other. */
export interface PublishOrder {
  readonly keys: readonly string[];
  readonly perKey: number;
  readonly from: number;
  /** Events of one call. */
  readonly batch: number;
  /** Publish an event again, in order, until the broker confirms it. */
  readonly untilConfirmed: boolean;
  /** What handlers do with them. @default nothing */
  readonly behaviour?: Behaviour;
}

/** From the parent. */
export type ToChild =
  | { readonly kind: 'start'; readonly modulePath: string; readonly spec: ChildSpec }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly args: readonly unknown[];
    };

/** From the child. */
export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'result'; readonly id: number; readonly value?: unknown; readonly error?: string };

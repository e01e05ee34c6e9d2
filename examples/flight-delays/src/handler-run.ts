import type { GroupName } from './groups.js';

/** One run of a handler. What the audit goes by; it comes from the handlers and not from the bus. */
export interface HandlerRun {
  readonly group: GroupName;
  /** The consumer that ran it, unique in the demo: a replacement has another name. */
  readonly consumer: string;
  readonly eventId: string;
  readonly airport: string;
  /** The event's `aggregateVersion`. */
  readonly version: number;
  readonly attempt: number;
  readonly outcome: 'handled' | 'failed';
  /** By `nowUs`. */
  readonly startedAtUs: number;
  readonly endedAtUs: number;
  /** The flight as it arrived through the bus. */
  readonly destination: string;
  readonly delayMinutes: number;
}

/** Keeps a run. Once it has resolved, the run is safe from the death of the process it took place in. */
export type SaveRun = (run: HandlerRun) => void | Promise<void>;

/** Microseconds of the machine's monotonic clock, which all its processes share. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

import type { BusStatus, EventBus } from '@omnibus/core';

const MOST_LINES = 60;
const NANOSECONDS_PER_MS = 1e6;
/** Fine enough for a standstill that matters; looking every 10 ms would take 1 % of a processor itself. */
const LOOK_EVERY_MS = 50;

/** What the buses of a case told while it ran, for whoever has to find out why it failed. */
export class StatusLog {
  readonly #startedAtMs = Date.now();
  readonly #lines: string[] = [];
  readonly #eventLoop: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  #buses = 0;
  #dropped = 0;

  constructor() {
    this.#eventLoop.enable();
  }

  /** Listens until the bus is closed. */
  follow(bus: EventBus, label: string): void {
    this.#buses += 1;
    void this.#read(`bus ${this.#buses} (${label})`, bus.status());
  }

  /** The lines, and how long this process stood still at most: a machine that is too busy looks like a fault of the bus. */
  end(): string {
    this.#eventLoop.disable();
    const stallMs = this.#eventLoop.max / NANOSECONDS_PER_MS;
    const head = `What the buses told (this process stood still for ${stallMs.toFixed(0)} ms at most):`;
    const omitted = this.#dropped > 0 ? [`  … ${this.#dropped} before`] : [];
    return [head, ...omitted, ...this.#lines.map((line) => `  ${line}`)].join('\n');
  }

  async #read(name: string, statuses: AsyncIterable<BusStatus>): Promise<void> {
    for await (const status of statuses) {
      this.#lines.push(`${status.atMs - this.#startedAtMs} ms  ${name}  ${textOf(status)}`);
      if (this.#lines.length <= MOST_LINES) continue;
      this.#lines.shift();
      this.#dropped += 1;
    }
  }
}

function textOf(status: BusStatus): string {
  switch (status.type) {
    case 'error':
    case 'dead-lettered':
    case 'dropped':
    case 'halted':
      return `${status.type}: ${status.error.code} ${status.error.message}`;
    case 'disconnected':
      return `${status.type}: ${status.cause.code} ${status.cause.message}`;
    case 'rebalanced':
      return `${status.type}: ${status.group} [${status.partitions.join(', ')}]`;
    case 'reconnected':
      return `${status.type} after ${status.downMs} ms`;
    case 'warning':
      return `${status.type}: ${status.message}`;
    default:
      return status.type;
  }
}

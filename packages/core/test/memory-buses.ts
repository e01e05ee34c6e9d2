import { setTimeout as sleep } from 'node:timers/promises';

import {
  createEvent,
  type DomainEvent,
  InMemoryEventBus,
  type InMemoryEventBusOptions,
  type MemoryBroker,
} from '../src/index.js';

const buses: InMemoryEventBus[] = [];

/** A bus that `shutDownAll` ends. */
export function busOn(broker: MemoryBroker, options: InMemoryEventBusOptions = {}): InMemoryEventBus {
  const bus = new InMemoryEventBus({
    broker,
    retry: { baseDelayMs: 5, maxDelayMs: 50, jitter: 0 },
    ...options,
  });
  buses.push(bus);
  return bus;
}

export function numbered(aggregateId: string, n: number): DomainEvent {
  return createEvent({
    eventType: 'Counted',
    aggregateId,
    aggregateType: 'Counter',
    aggregateVersion: n,
    data: { n },
  });
}

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 5_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(2);
  }
}

export async function shutDownAll(): Promise<void> {
  await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 500 })));
}

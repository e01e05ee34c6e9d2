import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

import { createEvent, type DomainEvent } from '../src/event.js';
import type { InMemoryEventBusOptions } from '../src/index.js';
import { InMemoryEventBus, MemoryBroker } from '../src/index.js';
import { registerSdk, type Sdk, unregisterSdk } from './otel-sdk.js';

let sdk: Sdk;
let bus: InMemoryEventBus;

function start(options: InMemoryEventBusOptions = {}): void {
  sdk = registerSdk();
  bus = new InMemoryEventBus({
    broker: new MemoryBroker(),
    retry: { maxRetries: 1, baseDelayMs: 1, maxDelayMs: 1, jitter: 0 },
    ...options,
  });
}

afterEach(async () => {
  await bus.shutdown({ timeoutMs: 500 });
  unregisterSdk();
});

const step = (eventType: string): DomainEvent =>
  createEvent({ eventType, aggregateId: 'a', aggregateType: 'A', data: {} });

async function spansOf(name: string, count: number): Promise<readonly ReadableSpan[]> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const found = sdk.spans().filter((span) => span.name.startsWith(name));
    if (found.length >= count) return found;
    if (Date.now() > deadline)
      throw new Error(`waited for ${count} spans ${name}, there are ${found.length}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const traces = (): Set<string> => new Set(sdk.spans().map((span) => span.spanContext().traceId));

describe('a bus', () => {
  it('keeps what one event causes in one trace, through any number of publishes', async () => {
    start();
    bus.subscribe('A', (_, context) => context.publish(step('B')));
    bus.subscribe('B', async (_, context) => {
      await new Promise((resolve) => setImmediate(resolve));
      await context.publish([step('C'), step('D')]);
    });
    bus.subscribe('C', () => undefined);
    bus.subscribe('D', () => undefined);
    await bus.startConsuming();
    await bus.publish(step('A'));
    await spansOf('process', 4);
    await spansOf('send', 3);
    expect(traces().size).toBe(1);
  });

  it('gives each attempt a span, and goes on with the trace after dead letter and replay', async () => {
    start();
    let broken = true;
    bus.subscribe('A', () => {
      if (broken) throw new TypeError('not yet');
    });
    await bus.startConsuming();
    await bus.publish(step('A'));
    const failed = await spansOf('process', 2);
    expect(
      failed.map(({ attributes }) => [attributes['omnibus.delivery.attempt'], attributes['error.type']]),
    ).toEqual([
      [1, 'TypeError'],
      [2, 'TypeError'],
    ]);
    broken = false;
    const deadline = Date.now() + 5_000;
    while ((await bus.deadLetters.replay({})) === 0 && Date.now() < deadline);
    const [, , replayed] = await spansOf('process', 3);
    expect(replayed?.attributes['omnibus.delivery.attempt']).toBe(1);
    expect(replayed?.attributes).not.toHaveProperty('error.type');
    expect(traces().size).toBe(1);
  });

  it('writes no trace headers when no SDK is registered', async () => {
    start();
    unregisterSdk();
    const headers = new Promise<Readonly<Record<string, string>>>((resolve) => {
      bus.subscribe('A', (_, context) => resolve(context.headers));
    });
    await bus.startConsuming();
    await bus.publish(step('A'));
    expect(Object.keys(await headers).sort()).toEqual(['event_id', 'event_type']);
  });
});

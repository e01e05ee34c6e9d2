import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';

import { BusError, MemoryBroker } from '../src/index.js';
import { MemoryTransport } from '../src/memory/memory-transport.js';
import { resolveEventBusOptions } from '../src/options.js';
import { type Clock, systemClock } from '../src/timers.js';
import type { Consumption, PartitionLag } from '../src/transport.js';
import { TransportEventBus } from '../src/transport-event-bus.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';
import { makeMetricsSdk, points, shutDownMetrics } from './metrics-sdk.js';
import { registerSdk, unregisterSdk } from './otel-sdk.js';

afterEach(shutDownAll);
afterEach(unregisterSdk);
afterAll(shutDownMetrics);

/** Joins as late as the test wants. */
class SlowlyJoining extends MemoryTransport {
  join = (): void => undefined;
  joining = false;
  stopped = 0;

  override async consume(...given: Parameters<MemoryTransport['consume']>): Promise<Consumption> {
    this.joining = true;
    await new Promise<void>((resolve) => {
      this.join = resolve;
    });
    const consumption = await super.consume(...given);
    return {
      stop: (timeoutMs) => {
        this.stopped += 1;
        return consumption.stop(timeoutMs);
      },
    };
  }
}

/** The machine's clock, and how many timers are set. */
function countingClock(): { readonly clock: Clock; timers(): number } {
  const timers = new Set<object>();
  const clock: Clock = {
    ...systemClock,
    after(delayMs, task) {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        timers.delete(timer);
        task();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  return { clock, timers: () => timers.size };
}

describe('shutdown', () => {
  it('ends a consumption that was still starting, whenever it gets through', async () => {
    for (const timeoutMs of [5_000, 10]) {
      const broker = new MemoryBroker();
      const transport = new SlowlyJoining(broker, 'events');
      const bus = new TransportEventBus({ transport, options: resolveEventBusOptions({}) });
      let calls = 0;
      bus.subscribeToAllEvents(() => {
        calls += 1;
      });
      const starting = bus.startConsuming().catch(() => undefined);
      await until('the join', () => transport.joining);
      const over = bus.shutdown({ timeoutMs });
      if (timeoutMs === 10) await over;
      transport.join();
      await Promise.all([starting, over]);
      await busOn(broker).publish(numbered('a', 1));
      await sleep(10);
      expect(calls).toBe(0);
      expect(broker.stream('events').members()).toEqual([]);
    }
  });

  it('does not wait for a start that still connects', async () => {
    const transport = new MemoryTransport(new MemoryBroker(), 'events');
    transport.open = () => new Promise(() => undefined);
    const bus = new TransportEventBus({ transport, options: resolveEventBusOptions({}) });
    void bus.startConsuming().catch(() => undefined);
    await turn();
    const { durationMs } = await bus.shutdown({ timeoutMs: 20_000 });
    expect(durationMs).toBeLessThan(10_000);
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN, -1, '5'])(
    'refuses %p as time-out instead of giving up at once, and can be called again',
    async (timeoutMs) => {
      const bus = busOn(new MemoryBroker());
      await bus.connect();
      await expect(bus.shutdown({ timeoutMs } as never)).rejects.toMatchObject({ code: 'CONFIGURATION' });
      expect(bus.state).toBe('ready');
      await expect(bus.shutdown({ timeout: 5 } as never)).rejects.toThrow(/did you mean "timeoutMs"/);
      expect((await bus.shutdown()).clean).toBe(true);
    },
  );

  it('ends a replay: no handler starts after it', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker);
    await bus.publish(Array.from({ length: 20 }, (_, n) => numbered('a', n + 1)));
    let calls = 0;
    let aborted = false;
    const replay = bus.replay({
      from: 'beginning',
      handler: async (_event, { signal }) => {
        calls += 1;
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        await sleep(5);
      },
    });
    const refused = expect(replay).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    await until('the first call', () => calls === 1);
    await bus.shutdown();
    const callsAtTheEnd = calls;
    await refused;
    await sleep(20);
    expect(aborted).toBe(true);
    expect(calls).toBe(callsAtTheEnd);
  });

  it('leaves no timer, also when a write fails after it', async () => {
    const { clock, timers } = countingClock();
    const transport = new MemoryTransport(new MemoryBroker(), 'events');
    let fail: (() => void) | undefined;
    transport.deadLetter = () =>
      new Promise((_, reject) => {
        fail = () => reject(new BusError('CONNECTION_LOST', 'closed'));
      });
    const bus = new TransportEventBus({
      transport,
      options: resolveEventBusOptions({ retry: { maxRetries: 0 } }),
      clock,
    });
    bus.subscribe('Counted', async ({ aggregateId }) => {
      if (aggregateId === 'bad') throw new Error('no');
      await new Promise(() => undefined);
    });
    await bus.startConsuming();
    await bus.publish([numbered('bad', 1), numbered('stuck', 1)]);
    await until('the letter', () => fail !== undefined);
    await bus.shutdown({ timeoutMs: 10 });
    fail?.();
    await turn();
    expect(timers()).toBe(0);
  });
});

describe('after a shutdown', () => {
  it('the context of a handler rejects, and does not throw', async () => {
    const bus = busOn(new MemoryBroker());
    let late: (() => Promise<void>) | undefined;
    bus.subscribe('Counted', (_event, handlerContext) => {
      late = () => handlerContext.publish(numbered('a', 2));
    });
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('the event', () => late !== undefined);
    await bus.shutdown();
    const publishing = late?.();
    await expect(publishing).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });
});

describe('replay', () => {
  it.each([
    ['from', { from: 'begining' }],
    ['from', { from: new Date(Number.NaN) }],
    ['from', {}],
    ['until', { from: 'beginning', until: { positions: { 0: 7 } } }],
    ['handler', { from: 'beginning', handler: 'x' }],
    ['types', { from: 'beginning', types: [''] }],
    ['signal', { from: 'beginning', signal: 5 }],
    ['til', { from: 'beginning', til: new Date() }],
  ])('refuses a wrong %s: %p', async (path, options) => {
    const bus = busOn(new MemoryBroker());
    const replay = bus.replay({ handler: () => undefined, ...options } as never);
    await expect(replay).rejects.toMatchObject({
      code: 'CONFIGURATION',
      problems: [expect.objectContaining({ path: expect.stringContaining(path) as unknown })],
    });
    expect(bus.state).toBe('idle');
  });
});

describe('health', () => {
  it('tells of progress when something is settled, not when it is received', async () => {
    let release = (): void => undefined;
    const broker = new MemoryBroker();
    const bus = busOn(broker);
    bus.subscribe(
      'Counted',
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    await bus.startConsuming();
    await busOn(broker).publish(numbered('a', 1));
    await until('the delivery', () => bus.stats.inFlight === 1);
    expect((await bus.health()).secondsSinceProgress).toBeUndefined();
    release();
    await until('the end', async () => (await bus.health()).secondsSinceProgress !== undefined);
  });

  it('tells of a halted partition also after a rebalance that left it here', async () => {
    const broker = new MemoryBroker({ partitions: 2 });
    const bus = busOn(broker, { retry: { maxRetries: 0 }, deadLetters: { enabled: false } });
    bus.subscribe('Counted', () => {
      throw new Error('no');
    });
    await bus.startConsuming();
    // One event for each of both partitions: whichever stays here has halted.
    await bus.publish(['a', 'b', 'c', 'd', 'e'].map((key) => numbered(key, 1)));
    await until('the halt', async () => ((await bus.health()).reason ?? '').includes('0, 1'));
    await busOn(broker).startConsuming();
    const [left] = broker.stream('events').members()[0]?.partitions ?? [];
    const health = await bus.health();
    expect(health.reason).toContain(`halted on partition ${left}`);
  });
});

describe('the metric of the lag', () => {
  it('is asked of the broker at each collection, for a bus that consumes', async () => {
    const broker = new MemoryBroker();
    const sdk = makeMetricsSdk();
    const metrics = { meterProvider: sdk.provider };
    const [publisher, consumer] = [
      busOn(broker, { group: 'p', metrics }),
      busOn(broker, { group: 'c', metrics }),
    ];
    consumer.subscribe('Counted', () => undefined);
    consumer.pause();
    await consumer.startConsuming();
    await publisher.publish([1, 2, 3].map((n) => numbered('a', n)));
    const lag = async (): Promise<unknown[]> =>
      points((await sdk.collect()).get('omnibus.consumer.lag')).map(([attributes, value]) => [
        attributes['messaging.consumer.group.name'],
        value,
      ]);
    expect(await lag()).toEqual([['c', 3]]);
    consumer.resume();
    await until('the events', async () => (await consumer.lag()).total === 0);
    expect(await lag()).toEqual([['c', 0]]);
  });

  it('is not reported, and nothing waits for long, when the broker does not answer', async () => {
    const transport = new MemoryTransport(new MemoryBroker(), 'events');
    const sdk = makeMetricsSdk();
    const bus = new TransportEventBus({
      transport,
      options: resolveEventBusOptions({ metrics: { meterProvider: sdk.provider } }),
    });
    await bus.startConsuming();
    transport.lag = () => Promise.reject(new BusError('TIMEOUT', 'no'));
    expect(points((await sdk.collect()).get('omnibus.consumer.lag'))).toEqual([]);
    await bus.shutdown();
  });
});

describe('calls of the client', () => {
  it('run with tracing suppressed', async () => {
    registerSdk();
    const suppressed: boolean[] = [];
    class Looking extends MemoryTransport {
      override async lag(group: string): Promise<readonly PartitionLag[]> {
        suppressed.push(isTracingSuppressed(context.active()));
        return super.lag(group);
      }

      override async ping(): Promise<void> {
        suppressed.push(isTracingSuppressed(context.active()));
      }
    }
    const bus = new TransportEventBus({
      transport: new Looking(new MemoryBroker(), 'events'),
      options: resolveEventBusOptions({}),
    });
    await bus.connect();
    await bus.health();
    expect(suppressed).toEqual([true, true]);
    await bus.shutdown();
  });
});

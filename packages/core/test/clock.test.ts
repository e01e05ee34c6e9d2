import { MemoryBroker } from '../src/index.js';
import { MemoryTransport } from '../src/memory/memory-transport.js';
import { resolveEventBusOptions } from '../src/options.js';
import { type Clock, systemClock, TimerQueue } from '../src/timers.js';
import { TransportEventBus } from '../src/transport-event-bus.js';
import { numbered, until } from './memory-buses.js';

const HOUR_MS = 3_600_000;

/** The machine's clock, which somebody sets. */
class SetClock implements Clock {
  private offsetMs = 0;
  readonly elapsedMs: Clock['elapsedMs'] = systemClock.elapsedMs;
  readonly after: Clock['after'] = systemClock.after;
  readonly soon: Clock['soon'] = systemClock.soon;

  now(): number {
    return systemClock.now() + this.offsetMs;
  }

  set(byMs: number): void {
    this.offsetMs += byMs;
  }
}

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('a clock that is set %s by an hour', (_name, byMs) => {
  it('neither holds up nor hurries what waits for time', async () => {
    const clock = new SetClock();
    const timers = new TimerQueue(clock);
    const ran: string[] = [];
    timers.schedule(10, () => ran.push('soon'));
    timers.schedule(30, () => ran.push('later'));
    timers.schedule(HOUR_MS / 2, () => ran.push('much later'));
    clock.set(byMs);
    await until('both', () => ran.length >= 2, 2_000);
    expect(ran).toEqual(['soon', 'later']);
    timers.close();
  });

  it('fails no handler and no publish, and lets retries and time-outs go on', async () => {
    const clock = new SetClock();
    const broker = new MemoryBroker();
    const bus = new TransportEventBus({
      transport: new MemoryTransport(broker, 'events'),
      options: resolveEventBusOptions({
        handlerTimeoutMs: 60_000,
        publish: { timeoutMs: 60_000 },
        retry: { maxRetries: 1, baseDelayMs: 20, jitter: 0 },
      }),
      clock,
    });
    let release = (): void => undefined;
    bus.subscribe('Counted', ({ aggregateId }, { attempt }) => {
      if (aggregateId === 'slow')
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      if (attempt === 1) throw new Error('once');
      return undefined;
    });
    await bus.startConsuming();
    await bus.publish([numbered('slow', 1), numbered('fails once', 1)]);
    await until('the failure', () => bus.stats.handlerErrors === 1);
    clock.set(byMs);
    broker.refuseSends(1);
    await bus.publish(numbered('fails once', 2));
    await until('the retries', () => bus.stats.eventsProcessedSuccess === 2, 2_000);
    release();
    await until('the slow one', () => bus.stats.eventsProcessedSuccess === 3, 2_000);
    expect(bus.stats).toMatchObject({ handlerErrors: 2, publishErrors: 0 });
    expect((await bus.shutdown({ timeoutMs: 5_000 })).clean).toBe(true);
  });
});

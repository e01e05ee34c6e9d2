import { setTimeout as sleep } from 'node:timers/promises';

import { type InMemoryEventBus, MemoryBroker, NonRetryableError } from '../src/index.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';

afterEach(shutDownAll);

describe('consuming', () => {
  it('handles every published event once, in order per key', async () => {
    const bus = busOn(new MemoryBroker());
    const seen = new Map<string, number[]>();
    bus.subscribe('Counted', async (event) => {
      await sleep(Math.random() * 2);
      seen.set(event.aggregateId, [...(seen.get(event.aggregateId) ?? []), event.aggregateVersion]);
    });
    await bus.startConsuming();
    const events = Array.from({ length: 500 }, (_, i) => numbered(`key-${i % 10}`, Math.floor(i / 10) + 1));
    await bus.publish(events);
    await until('all events', () => bus.stats.eventsProcessedSuccess === 500);
    for (const versions of seen.values())
      expect(versions).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(bus.stats).toMatchObject({ eventsPublished: 500, eventsConsumed: 500, inFlight: 0, retries: 0 });
  });

  it('holds back only the key of an event that waits for its next attempt, and keeps its order', async () => {
    const bus = busOn(new MemoryBroker({ partitions: 1 }), {
      retry: { maxRetries: 3, baseDelayMs: 40, maxDelayMs: 40, jitter: 0 },
    });
    const seen: string[] = [];
    bus.subscribe('Counted', (event, { attempt }) => {
      seen.push(`${event.aggregateId}${event.aggregateVersion}#${attempt}`);
      if (event.aggregateId === 'a' && event.aggregateVersion === 1 && attempt < 3)
        throw new Error('not yet');
    });
    await bus.startConsuming();
    await bus.publish([numbered('a', 1), numbered('a', 2), numbered('b', 1), numbered('b', 2)]);
    await until('all events', () => bus.stats.eventsProcessedSuccess === 4);
    expect(seen).toEqual(['a1#1', 'b1#1', 'b2#1', 'a1#2', 'a1#3', 'a2#1']);
  });

  it('runs again only the handlers that failed', async () => {
    const bus = busOn(new MemoryBroker());
    const calls = { first: 0, second: 0, third: 0 };
    bus.subscribe('Counted', () => {
      calls.first += 1;
    });
    bus.subscribe('Counted', (_event, { attempt }) => {
      calls.second += 1;
      if (attempt < 3) throw new Error('again');
    });
    bus.subscribeToAllEvents(async () => {
      calls.third += 1;
    });
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('success', () => bus.stats.eventsProcessedSuccess === 1);
    expect(calls).toEqual({ first: 1, second: 3, third: 1 });
  });

  it('fails a handler that takes too long, aborts its signal and ignores its late end', async () => {
    const bus = busOn(new MemoryBroker(), { handlerTimeoutMs: 20, retry: { maxRetries: 0 } });
    let aborted: unknown;
    let release = (): void => undefined;
    bus.subscribe('Counted', (_event, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted = signal.reason;
      });
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await bus.startConsuming();
    await bus.publish(numbered('a', 1));
    await until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
    expect(aborted).toMatchObject({ code: 'HANDLER_TIMEOUT' });
    release();
    await sleep(5);
    expect(bus.stats).toMatchObject({ eventsProcessedSuccess: 0, inFlight: 0 });
  });

  it('never has more in flight than configured, and handles a backlog beyond it', async () => {
    const bus = busOn(new MemoryBroker({ partitions: 2 }), { concurrency: 2, maxInFlight: 10 });
    let running = 0;
    let mostRunning = 0;
    let mostInFlight = 0;
    bus.subscribe('Counted', async () => {
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      mostInFlight = Math.max(mostInFlight, bus.stats.inFlight);
      await new Promise(setImmediate);
      running -= 1;
    });
    await bus.startConsuming();
    await bus.publish(Array.from({ length: 400 }, (_, i) => numbered(`key-${i}`, 1)));
    await until('all events', () => bus.stats.eventsProcessedSuccess === 400);
    expect(mostRunning).toBe(2);
    expect(mostInFlight).toBe(10);
  });
});

describe('giving up', () => {
  it('dead-letters after maxRetries + 1 attempts, then goes on with the key', async () => {
    const bus = busOn(new MemoryBroker(), { retry: { maxRetries: 2, baseDelayMs: 1, maxDelayMs: 5 } });
    const attempts: number[] = [];
    bus.subscribe('Counted', (event, { attempt }) => {
      if (event.aggregateVersion > 1) return;
      attempts.push(attempt);
      throw new TypeError('never');
    });
    await bus.startConsuming();
    await bus.publish([numbered('a', 1), numbered('a', 2)]);
    await until('the second event', () => bus.stats.eventsProcessedSuccess === 1);
    expect(attempts).toEqual([1, 2, 3]);
    const letters = [];
    for await (const letter of bus.deadLetters.list()) letters.push(letter);
    expect(letters).toEqual([
      expect.objectContaining({
        reason: 'max-retries',
        errorType: 'TypeError',
        errorMessage: 'never',
        attempts: 3,
        group: 'default',
      }),
    ]);
    expect(bus.stats.inFlight).toBe(0);
  });

  it('replays a dead letter to the failing group only', async () => {
    const broker = new MemoryBroker();
    const [billing, mail] = [busOn(broker, { group: 'billing' }), busOn(broker, { group: 'mail' })];
    let broken = true;
    let mailed = 0;
    billing.subscribe('Counted', () => {
      if (broken) throw new NonRetryableError('closed');
    });
    mail.subscribe('Counted', () => {
      mailed += 1;
    });
    await Promise.all([billing.startConsuming(), mail.startConsuming()]);
    await billing.publish(numbered('a', 1));
    await until('the dead letter', () => billing.stats.messagesSentToDlq === 1);
    broken = false;
    expect(await billing.deadLetters.replay({})).toBe(1);
    await until(
      'the replay',
      () => billing.stats.eventsProcessedSuccess === 1 && mail.stats.eventsIgnored === 1,
    );
    expect(mailed).toBe(1);
    expect(await billing.deadLetters.count()).toBe(0);
  });

  it('keeps trying to write a dead letter and settles nothing before', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker, { retry: { maxRetries: 0 } });
    bus.subscribe('Counted', () => {
      throw new Error('no');
    });
    await bus.startConsuming();
    broker.refuseDeadLetters(true);
    await bus.publish(numbered('a', 1));
    await until('a refused write', () => bus.stats.lastErrorAt !== undefined && bus.stats.inFlight === 1);
    expect((await bus.lag()).total).toBe(1);
    broker.refuseDeadLetters(false);
    await until('the dead letter', () => bus.stats.messagesSentToDlq === 1);
    await until('no lag', async () => (await bus.lag()).total === 0);
  });

  it('halts the partition when dead letters are disabled, and says so', async () => {
    const bus = busOn(new MemoryBroker({ partitions: 1 }), {
      retry: { maxRetries: 0 },
      deadLetters: { enabled: false },
    });
    const statuses: string[] = [];
    void (async () => {
      for await (const status of bus.status()) statuses.push(status.type);
    })();
    bus.subscribe('Counted', () => {
      throw new Error('no');
    });
    await bus.startConsuming();
    await bus.publish([numbered('a', 1), numbered('a', 2)]);
    await until('the halt', () => statuses.includes('halted'));
    expect(await bus.health()).toMatchObject({ healthy: false });
    expect(bus.stats.inFlight).toBe(2);
  });
});

describe('crashes', () => {
  it('counts attempts across the death of the process', async () => {
    const broker = new MemoryBroker({ partitions: 1 });
    let attempts = 0;
    const fail = (): never => {
      attempts += 1;
      throw new Error('no');
    };
    const options = { retry: { maxRetries: 3, baseDelayMs: 20, maxDelayMs: 20, jitter: 0 } };
    const first = busOn(broker, { ...options, consumerName: 'first' });
    first.subscribe('Counted', fail);
    await first.startConsuming();
    await first.publish(numbered('a', 1));
    await until('two attempts', () => attempts === 2);
    await broker.kill('first');
    const second = busOn(broker, options);
    second.subscribe('Counted', fail);
    await second.startConsuming();
    await until('the dead letter', () => second.stats.messagesSentToDlq === 1);
    expect(attempts).toBe(4);
  });

  it('dead-letters an event whose handler kills the process, and no other', async () => {
    const broker = new MemoryBroker({ partitions: 2 });
    const publisher = busOn(broker);
    const handled = new Set<number>();
    let deaths = 0;
    await publisher.ensureGroup();
    await publisher.publish(Array.from({ length: 40 }, (_, i) => numbered(`key-${i}`, i + 1)));
    for (let life = 1; life <= 8; life += 1) {
      const name = `life-${life}`;
      const bus = busOn(broker, { consumerName: name, retry: { maxRetries: 2, baseDelayMs: 1 } });
      let dead = false;
      bus.subscribe('Counted', async (event) => {
        if (dead) return new Promise<void>(() => undefined);
        if (event.aggregateVersion === 13) {
          dead = true;
          deaths += 1;
          void broker.kill(name);
          return new Promise<void>(() => undefined);
        }
        await new Promise(setImmediate);
        if (!dead) handled.add(event.aggregateVersion);
      });
      await bus.startConsuming();
      await until('the end of this life', async () => dead || (await publisher.lag()).total === 0);
      if (!dead) break;
    }
    expect(deaths).toBe(3);
    expect(handled.size).toBe(39);
    const letters = [];
    for await (const letter of publisher.deadLetters.list()) letters.push(letter);
    expect(letters.map(({ event, reason }) => [event?.aggregateVersion, reason])).toEqual([[13, 'crash']]);
  });
});

describe('publishing', () => {
  it('waits while the broker is paused, and repeats in order what was refused', async () => {
    const broker = new MemoryBroker({ partitions: 1 });
    const bus = busOn(broker);
    const seen: number[] = [];
    bus.subscribe('Counted', (event) => {
      seen.push(event.aggregateVersion);
    });
    await bus.startConsuming();
    broker.pause();
    let resolved = false;
    const published = Promise.all([1, 2, 3].map((n) => bus.publish(numbered('a', n)))).then(() => {
      resolved = true;
    });
    await sleep(20);
    expect(resolved).toBe(false);
    broker.refuseSends(2);
    broker.resume();
    await published;
    await until('all events', () => seen.length === 3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('finds bad input before anything is sent', async () => {
    const bus = busOn(new MemoryBroker());
    const bad = { ...numbered('a', 2), data: { n: 1n } };
    await expect(bus.publish([numbered('a', 1), bad])).rejects.toMatchObject({
      code: 'SERIALIZATION',
      failures: [expect.objectContaining({ index: 1, eventId: bad.eventId })],
    });
    expect(bus.stats.eventsPublished).toBe(0);
  });

  it('refuses more than it may buffer', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker, { publish: { maxBufferedBytes: 2_000 } });
    await bus.connect();
    broker.pause();
    const first = bus.publish(Array.from({ length: 5 }, (_, i) => numbered('a', i + 1)));
    await expect(bus.publish(numbered('a', 6))).rejects.toMatchObject({
      code: 'BACKPRESSURE',
      retryable: true,
    });
    broker.resume();
    await first;
  });

  it('rejects after shutdown, and flushes what was not awaited before it', async () => {
    const broker = new MemoryBroker();
    const bus = busOn(broker);
    const pending = bus.publish(numbered('a', 1));
    const report = await bus.shutdown();
    await pending;
    expect(report.clean).toBe(true);
    await expect(bus.publish(numbered('a', 2))).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });
});

describe('competing consumers', () => {
  it('keeps the order of every key while members join, leave and freeze', async () => {
    const broker = new MemoryBroker({ partitions: 6 });
    const publisher = busOn(broker, { group: 'publisher' });
    const last = new Map<string, number>();
    const problems: string[] = [];
    const running = new Map<string, string>();
    const member = (name: string): InMemoryEventBus => {
      const bus = busOn(broker, { group: 'g', consumerName: name, handOverTimeoutMs: 1_000 });
      bus.subscribe('Counted', async ({ aggregateId, aggregateVersion }) => {
        if (running.has(aggregateId)) problems.push(`overlap ${aggregateId} ${aggregateVersion}`);
        running.set(aggregateId, name);
        const before = last.get(aggregateId) ?? 0;
        if (aggregateVersion > before + 1) problems.push(`skip ${aggregateId} ${before} ${aggregateVersion}`);
        await sleep(Math.random());
        running.delete(aggregateId);
        last.set(aggregateId, Math.max(before, aggregateVersion));
      });
      return bus;
    };
    const [a, b, c] = [member('a'), member('b'), member('c')];
    await publisher.connect();
    await a.ensureGroup();
    await a.startConsuming();
    const publishing = (async () => {
      for (let n = 1; n <= 200; n += 1)
        await publisher.publish(Array.from({ length: 20 }, (_, key) => numbered(`k${key}`, n)));
    })();
    await b.startConsuming();
    await until('progress', () => b.stats.eventsProcessedSuccess > 100);
    await c.startConsuming();
    await until('progress', () => c.stats.eventsProcessedSuccess > 100);
    await b.stopConsuming();
    await publishing;
    await until('no lag', async () => (await a.lag()).total === 0, 10_000);
    expect(problems).toEqual([]);
    expect([...last.values()]).toEqual(new Array(20).fill(200));
    for (const bus of [a, b, c]) expect(bus.stats.inFlight).toBe(0);
  });
});

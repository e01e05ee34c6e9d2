import { once } from 'node:events';
import {
  type BusError,
  createEvent,
  type DomainEvent,
  type EventHandlerFunction,
  NonRetryableError,
} from '@omnibus/core';
import type { RunningRedis } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import {
  listGroups,
  RedisEventBus,
  type RedisEventBusOptions,
  removeConsumer,
  removeGroup,
} from '../../src/index.js';
import { until } from './redis.js';

/** Who the document has rights for. */
export type User = 'publisher' | 'billing' | 'operator';

const EVENTS = 24;
/** Those that are given up. */
export const POISON: readonly string[] = ['order-3', 'order-7'];
const SLOW = 'order-5';

/** What each user does as a rule. */
export class Roles {
  /** What a bus was refused that went on all the same. */
  readonly refused: BusError[] = [];
  private readonly buses: RedisEventBus[] = [];
  private readonly shares = new Map<RedisEventBus, readonly number[]>();
  private closed = false;

  constructor(private readonly redis: RunningRedis) {}

  /** Sends what `redis-cli` would, as an administrator. */
  cli(...words: readonly string[]): Promise<string> {
    return this.redis.administer(['redis-cli', ...words]);
  }

  /** Makes the server what the document makes it: with these users, and no event yet. */
  async prepare(): Promise<void> {
    await this.cli('FLUSHALL');
    for (const block of ['partitions', 'publisher', 'consumer', 'operator'])
      for (const command of documentedCommands(`redis ${block}`)) await this.redis.administer(command);
  }

  busOf(user: User, options: RedisEventBusOptions = {}): RedisEventBus {
    const bus = new RedisEventBus(this.optionsOf(user, options));
    this.buses.push(bus);
    void this.follow(bus);
    return bus;
  }

  /** Ends what is under way, too. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 0 })));
  }

  async publish(): Promise<void> {
    const bus = this.busOf('publisher');
    await bus.publish(Array.from({ length: EVENTS }, (_, index) => event(index)));
    await bus.publish(event(0));
    // Of the lag it may know nothing.
    expect(await bus.health()).toMatchObject({ healthy: true, lag: undefined });
    await bus.shutdown();
  }

  /** Two share, retry, give up what cannot be handled; one leaves in the middle of an event. */
  async consume(): Promise<void> {
    const handled = new Set<string>();
    const first = this.busOf('billing');
    const second = this.busOf('billing');
    first.subscribe('OrderPlaced', stopAt(SLOW));
    for (const bus of [first, second]) subscribe(bus, handled);
    await first.startConsuming();
    await this.until('the first events', async () => (await first.lag()).total === 1);
    await second.startConsuming();
    await this.until('a share for both', () => this.shares.get(second)?.length === 4);
    await first.shutdown({ timeoutMs: 0 });
    await this.until('all for the second', () => this.shares.get(second)?.length === 8);
    await this.until('the last event', async () => handled.has(SLOW) && (await second.lag()).total === 0);
    expect(handled.size).toBe(EVENTS - POISON.length);
    const seen: string[] = [];
    await second.replay({ from: 'beginning', handler: ({ aggregateId }) => void seen.push(aggregateId) });
    expect(seen).toHaveLength(EVENTS + 1);
    expect(await second.health()).toMatchObject({ healthy: true, lag: 0 });
    await second.shutdown();
  }

  /** Gives back one of the dead letters, removes the other, and a group that nobody needs. */
  async operate(): Promise<void> {
    const bus = this.busOf('operator');
    const keys: string[] = [];
    for await (const { key = '' } of bus.deadLetters.list({ group: '*' })) keys.push(key);
    expect(keys.sort()).toEqual(POISON);
    expect(await bus.deadLetters.replay({ aggregateId: POISON[0] ?? '' })).toBe(1);
    expect(await bus.deadLetters.purge({ aggregateId: POISON[1] ?? '' })).toBe(1);
    expect(await bus.deadLetters.count()).toBe(0);
    expect((await bus.lag()).total).toBe(1);
    expect(await bus.health()).toMatchObject({ healthy: true });
    await bus.shutdown();
    const options = this.optionsOf('operator');
    await removeConsumer(options, 'billing', 'released');
    expect((await listGroups(options)).map(({ name }) => name)).toContain('old');
    expect(await removeGroup(options, 'old')).toBe(true);
  }

  /** One alone handles everything, and gives up as many events as that. */
  async handle(given: number): Promise<void> {
    const bus = this.busOf('billing');
    subscribe(bus, new Set());
    await bus.startConsuming();
    await this.until('the dead letters', () => bus.stats.messagesSentToDlq === given);
    await this.until('the other events', async () => (await bus.lag()).total === 0);
    await bus.shutdown();
  }

  private optionsOf(user: User, options: RedisEventBusOptions = {}): RedisEventBusOptions {
    const { tls } = this.redis;
    if (!tls) throw new Error('no TLS');
    return {
      url: tls.url,
      group: 'billing',
      partitions: 8,
      leaseMs: 1_000,
      heartbeatIntervalMs: 100,
      retry: { baseDelayMs: 10 },
      handOverTimeoutMs: 200,
      security: { tls: { ca: tls.ca }, credentials: { username: user, password: `${user}-secret` } },
      ...options,
    };
  }

  private until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(what, () => {
      if (this.closed) throw new Error(`Nobody waits any more: ${what}`);
      return condition();
    });
  }

  private async follow(bus: RedisEventBus): Promise<void> {
    for await (const status of bus.status()) {
      if (status.type === 'rebalanced') this.shares.set(bus, status.partitions);
      if (status.type === 'error' && status.error.code === 'AUTHORIZATION') this.refused.push(status.error);
    }
  }
}

/** The first event of an order. */
export function event(order: number): DomainEvent {
  return createEvent({
    eventType: 'OrderPlaced',
    aggregateType: 'Order',
    aggregateId: `order-${order}`,
    aggregateVersion: 1,
    data: {},
  });
}

/** Fails each event once, and two for good. */
function subscribe(bus: RedisEventBus, handled: Set<string>): void {
  bus.subscribe('OrderPlaced', ({ aggregateId }, { attempt }) => {
    if (POISON.includes(aggregateId)) throw new NonRetryableError('no such order');
    if (attempt === 1) throw new Error('not yet');
    handled.add(aggregateId);
  });
}

/** Is not done with it before it has to be. */
function stopAt(aggregateId: string): EventHandlerFunction {
  return async (event, { signal }) => {
    if (event.aggregateId === aggregateId) await once(signal, 'abort');
  };
}

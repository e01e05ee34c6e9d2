import { once } from 'node:events';
import {
  type BusError,
  createEvent,
  type DomainEvent,
  type EventHandlerFunction,
  NonRetryableError,
} from '@omnibus/core';
import type { RunningRabbitMQ } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import { RabbitMQEventBus, type RabbitMQEventBusOptions } from '../../src/index.js';
import { until } from './rabbitmq.js';

const EVENTS = 24;
/** Those that are given up. */
const POISON: readonly string[] = ['order-3', 'order-7'];
const SLOW = 'order-5';

/** What each user does as a rule. */
export class Roles {
  /** What a bus was refused that went on all the same. */
  readonly refused: BusError[] = [];
  private readonly buses: RabbitMQEventBus[] = [];
  private readonly shares = new Map<RabbitMQEventBus, readonly number[]>();
  private closed = false;

  constructor(private readonly rabbitmq: RunningRabbitMQ) {}

  /** Runs the commands that the document has for a role. */
  async run(role: string): Promise<void> {
    for (const command of documentedCommands(`rabbitmq ${role}`)) await this.rabbitmq.administer(command);
  }

  busOf(username: string, options: RabbitMQEventBusOptions = {}): RabbitMQEventBus {
    const { tls } = this.rabbitmq;
    if (!tls) throw new Error('no TLS');
    const bus = new RabbitMQEventBus({
      urls: tls.urls,
      group: 'billing',
      createTopology: false,
      presenceIntervalMs: 200,
      retry: { baseDelayMs: 10 },
      handOverTimeoutMs: 200,
      security: { tls: { ca: tls.ca }, credentials: { username, password: `${username}-secret` } },
      ...options,
    });
    this.buses.push(bus);
    void this.follow(bus);
    return bus;
  }

  /** Ends what is under way, too. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 0 })));
  }

  /** Makes what there is to publish to and to consume from. */
  async deploy(group: string, options: RabbitMQEventBusOptions = {}): Promise<void> {
    const bus = this.busOf('deployer', { group, createTopology: true, ...options });
    await bus.ensureGroup();
    await bus.shutdown();
  }

  async publish(username = 'publisher'): Promise<void> {
    const bus = this.busOf(username);
    await bus.publish(Array.from({ length: EVENTS }, (_, index) => event(index)));
    expect(await bus.health()).toMatchObject({ healthy: true });
    await bus.shutdown();
  }

  /** Two share, retry, give up what cannot be handled; one leaves in the middle of an event. */
  async consume(username = 'billing'): Promise<void> {
    const handled = new Set<string>();
    const first = this.busOf(username);
    const second = this.busOf(username);
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
    expect(await second.health()).toMatchObject({ healthy: true, lag: 0 });
    await second.shutdown();
  }

  /** Gives back one of the dead letters, which a consumer handles now, and removes the other. */
  async operate(username = 'operator'): Promise<void> {
    const handled: string[] = [];
    const consumer = this.busOf('billing');
    consumer.subscribe('OrderPlaced', ({ aggregateId }) => void handled.push(aggregateId));
    await consumer.startConsuming();
    const bus = this.busOf(username);
    expect((await bus.lag()).total).toBe(0);
    const keys: string[] = [];
    for await (const { event: { aggregateId = '' } = {} } of bus.deadLetters.list({ group: '*' }))
      keys.push(aggregateId);
    expect(keys.sort()).toEqual(POISON);
    expect(await bus.deadLetters.replay({ aggregateId: POISON[0] ?? '' })).toBe(1);
    expect(await bus.deadLetters.purge({ aggregateId: POISON[1] ?? '' })).toBe(1);
    expect(await bus.deadLetters.count()).toBe(0);
    expect(await bus.health()).toMatchObject({ healthy: true });
    await this.until('what was given back', () => handled.length > 0);
    expect(handled).toEqual(POISON.slice(0, 1));
    await Promise.all([bus.shutdown(), consumer.shutdown()]);
  }

  private until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return until(what, () => {
      if (this.closed) throw new Error(`Nobody waits any more: ${what}`);
      return condition();
    });
  }

  private async follow(bus: RabbitMQEventBus): Promise<void> {
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
function subscribe(bus: RabbitMQEventBus, handled: Set<string>): void {
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

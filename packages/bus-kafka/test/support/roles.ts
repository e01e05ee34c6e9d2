import { once } from 'node:events';
import {
  type BusError,
  createEvent,
  type DomainEvent,
  type EventHandlerFunction,
  NonRetryableError,
} from '@omnibus/core';
import type { RunningKafka } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import { KafkaEventBus, type KafkaEventBusOptions } from '../../src/index.js';
import { until } from './kafka.js';

const EVENTS = 24;
/** Those that are given up. */
const POISON: readonly string[] = ['order-3', 'order-7'];
const SLOW = 'order-5';

/** What each user does as a rule. */
export class Roles {
  /** What a bus was refused that went on all the same. */
  readonly refused: BusError[] = [];
  private readonly buses: KafkaEventBus[] = [];
  private readonly shares = new Map<KafkaEventBus, readonly number[]>();
  private closed = false;

  constructor(private readonly kafka: RunningKafka) {}

  /** Runs the commands that the document has for a role. */
  async run(role: string): Promise<void> {
    for (const command of documentedCommands(`kafka ${role}`)) await this.kafka.administer(command);
  }

  busOf(username: string, options: KafkaEventBusOptions = {}): KafkaEventBus {
    const bus = new KafkaEventBus({
      brokers: this.kafka.listeners.CLIENTS?.brokers ?? [],
      group: 'billing',
      createTopics: false,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 200,
      maxWaitTimeMs: 100,
      retry: { baseDelayMs: 10 },
      handOverTimeoutMs: 200,
      security: {
        tls: { ca: this.kafka.tls?.ca ?? '' },
        mechanism: 'SCRAM-SHA-512',
        credentials: { username, password: `${username}-secret` },
      },
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
    await this.until('all events but one', () => {
      const { messagesSentToDlq } = first.stats;
      return messagesSentToDlq === POISON.length && handled.size === EVENTS - POISON.length - 1;
    });
    await second.startConsuming();
    await this.until('a share for both', () => this.shares.get(second)?.length === 4);
    await first.shutdown({ timeoutMs: 0 });
    await this.until('all for the second', () => this.shares.get(second)?.length === 8);
    await this.until('the last event', async () => handled.has(SLOW) && (await second.lag()).total === 0);
    expect(handled.size).toBe(EVENTS - POISON.length);
    const seen: string[] = [];
    await second.replay({ from: 'beginning', handler: ({ aggregateId }) => void seen.push(aggregateId) });
    expect(seen).toHaveLength(EVENTS);
    expect(await second.health()).toMatchObject({ healthy: true, lag: 0 });
    await second.shutdown();
  }

  /** One alone gives up what cannot be handled. */
  async giveUp(): Promise<void> {
    const bus = this.busOf('billing');
    subscribe(bus, new Set());
    await bus.startConsuming();
    await this.until('the dead letters', () => bus.stats.messagesSentToDlq === POISON.length);
    await bus.shutdown();
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

  private async follow(bus: KafkaEventBus): Promise<void> {
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
function subscribe(bus: KafkaEventBus, handled: Set<string>): void {
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

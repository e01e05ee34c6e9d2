import assert from 'node:assert/strict';
import { once } from 'node:events';

import {
  type BusError,
  createEvent,
  type DomainEvent,
  type EventBus,
  type EventBusOptions,
  type EventHandlerFunction,
  isBusError,
  NonRetryableError,
} from '@omnibus/core';

import { until } from '../poll.js';

/** Makes a bus that logs in as this user. */
export type BusOfUser = (user: string, options: EventBusOptions) => EventBus;

const EVENTS = 24;
/** Orders that are given up. */
export const HOPELESS_ORDERS: readonly string[] = ['order-3', 'order-7'];
const SLOW = 'order-5';
const WITHIN_MS = 20_000;

/** The code that work is refused with; `done` when it is not. */
export function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: unknown) => (isBusError(error) ? error.code : error),
  );
}

/** The first event of an order. */
export function orderPlaced(order: number): DomainEvent {
  return createEvent({
    eventType: 'OrderPlaced',
    aggregateType: 'Order',
    aggregateId: `order-${order}`,
    aggregateVersion: 1,
    data: {},
  });
}

/** How consumers play. */
export interface ConsumerPart {
  /** @default 'billing' */
  readonly user?: string;
  /** Whether they also read what was published before. */
  readonly history: boolean;
}

/** What publishers, consumers and operators do as a rule: for tests of what each of them has to be allowed. */
export class RolePlay {
  /** What a bus was refused that went on all the same. */
  readonly refused: BusError[] = [];
  readonly #busOf: BusOfUser;
  readonly #buses: EventBus[] = [];
  readonly #shares = new Map<EventBus, readonly number[]>();
  #closed = false;

  constructor(busOf: BusOfUser) {
    this.#busOf = busOf;
  }

  /** A bus of this user, closed with the play. */
  busOf(user: string, options: EventBusOptions = {}): EventBus {
    const bus = this.#busOf(user, {
      group: 'billing',
      retry: { baseDelayMs: 10 },
      handOverTimeoutMs: 200,
      ...options,
    });
    this.#buses.push(bus);
    void this.#follow(bus);
    return bus;
  }

  /** Ends what is under way, too. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 0 })));
  }

  /** Publishes all orders in one call, and one of them once more. */
  async publish(user = 'publisher'): Promise<void> {
    const bus = this.busOf(user);
    await bus.publish(Array.from({ length: EVENTS }, (_, order) => orderPlaced(order)));
    await bus.publish(orderPlaced(0));
    assert.equal((await bus.health()).healthy, true);
    await bus.shutdown();
  }

  /** Two share, retry, give up what cannot be handled; one leaves in the middle of an event. Then the other looks back. */
  async consume({ user = 'billing', history }: ConsumerPart): Promise<void> {
    const handled = new Set<string>();
    const first = this.busOf(user);
    const second = this.busOf(user);
    first.subscribe('OrderPlaced', stopAt(SLOW));
    for (const bus of [first, second]) handle(bus, handled);
    await first.startConsuming();
    const beforeTheSlowOne = EVENTS - HOPELESS_ORDERS.length - 1;
    await this.#until('all orders but one', () => handled.size === beforeTheSlowOne);
    await second.startConsuming();
    await this.#until('a share for both', () => this.#shares.get(second)?.length === 4);
    await first.shutdown({ timeoutMs: 0 });
    await this.#until('all for the second', () => this.#shares.get(second)?.length === 8);
    await this.#until('the last order', async () => handled.has(SLOW) && (await second.lag()).total === 0);
    if (history) await looksBack(second);
    const { healthy, lag } = await second.health();
    assert.deepEqual({ healthy, lag }, { healthy: true, lag: 0 });
    await second.shutdown();
  }

  /** One alone handles everything, and gives up as many events as that. */
  async giveUp(given: number, user = 'billing'): Promise<void> {
    const bus = this.busOf(user);
    handle(bus, new Set());
    await bus.startConsuming();
    await this.#until('the dead letters', () => bus.stats.messagesSentToDlq === given);
    await this.#until('the other events', async () => (await bus.lag()).total === 0);
    await bus.shutdown();
  }

  /**
   * Lists the dead letters of both hopeless orders, gives one back and removes the other, beside a consumer that handles
   * what was given back.
   */
  async operateBesideConsumer(user = 'operator'): Promise<void> {
    const handled: string[] = [];
    const consumer = this.busOf('billing');
    consumer.subscribe('OrderPlaced', ({ aggregateId }) => void handled.push(aggregateId));
    await consumer.startConsuming();
    await this.operate(user);
    await this.#until('what was given back', () => handled.length > 0);
    assert.deepEqual(handled, HOPELESS_ORDERS.slice(0, 1));
    await consumer.shutdown();
  }

  /** The same alone. */
  async operate(user = 'operator'): Promise<void> {
    const bus = this.busOf(user);
    assert.equal((await bus.lag()).total, 0);
    const keys: string[] = [];
    for await (const { event } of bus.deadLetters.list({ group: '*' })) keys.push(event?.aggregateId ?? '');
    assert.deepEqual(keys.sort(), HOPELESS_ORDERS);
    assert.equal(await bus.deadLetters.replay({ aggregateId: HOPELESS_ORDERS[0] ?? '' }), 1);
    assert.equal(await bus.deadLetters.purge({ aggregateId: HOPELESS_ORDERS[1] ?? '' }), 1);
    assert.equal(await bus.deadLetters.count(), 0);
    assert.equal((await bus.health()).healthy, true);
    await bus.shutdown();
  }

  /** What comes of it when a publisher consumes, and reads dead letters. */
  async publisherOverreaches(): Promise<unknown[]> {
    const bus = this.busOf('publisher');
    return [await outcomeOf(bus.startConsuming()), await outcomeOf(bus.deadLetters.count())];
  }

  /** What comes of it when a consumer publishes, reads dead letters, and consumes for another group. */
  async consumerOverreaches(): Promise<unknown[]> {
    const bus = this.busOf('billing');
    const other = this.busOf('billing', { group: 'shipping' });
    return [
      await outcomeOf(bus.publish(orderPlaced(0))),
      await outcomeOf(bus.deadLetters.count()),
      await outcomeOf(other.startConsuming()),
    ];
  }

  #until(what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> {
    const probe = (): boolean | Promise<boolean> => this.#closed || condition();
    return until(what, probe, { withinMs: WITHIN_MS }).then(() => {
      if (this.#closed) throw new Error(`Nobody waits any more: ${what}`);
    });
  }

  async #follow(bus: EventBus): Promise<void> {
    for await (const status of bus.status()) {
      if (status.type === 'rebalanced') this.#shares.set(bus, status.partitions);
      if (status.type === 'error' && status.error.code === 'AUTHORIZATION') this.refused.push(status.error);
    }
  }
}

async function looksBack(bus: EventBus): Promise<void> {
  let seen = 0;
  await bus.replay({
    from: 'beginning',
    handler: () => {
      seen += 1;
    },
  });
  assert.equal(seen, EVENTS + 1);
}

/** Fails each event once, and the hopeless ones for good. */
function handle(bus: EventBus, handled: Set<string>): void {
  bus.subscribe('OrderPlaced', ({ aggregateId }, { attempt }) => {
    if (HOPELESS_ORDERS.includes(aggregateId)) throw new NonRetryableError('no such order');
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

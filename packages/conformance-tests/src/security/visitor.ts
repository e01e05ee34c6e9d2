import assert from 'node:assert/strict';

import type { BusStatus, EventBus } from '@omnibus/core';

import type { BusRequest, CaseContext, ConsumerRequest } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import { quickRetries, statusesOf } from '../suites/support.js';
import type { Door } from './secured.js';

/** Keys of what a visitor publishes. */
const KEYS = 4;
const HOPELESS = 'hopeless';

/** What a bus is made with to go through a door. */
export function through(door: Door): Pick<BusRequest, 'through'> {
  const { network } = door;
  return {
    through: { network, create: (request) => door.create(request), close: () => Promise.resolve() },
  };
}

/** A bus that came in by a door, publishes and consumes, and keeps count of what was confirmed. */
export class Visitor {
  #confirmed = 0;
  readonly #givenUp = new Set<string>();
  #sequence = 0;

  private constructor(
    private readonly t: CaseContext,
    readonly bus: EventBus,
    readonly group: string,
    readonly statuses: readonly BusStatus[],
  ) {}

  /** Consuming when this resolves. */
  static async enter(t: CaseContext, door: Door, request: ConsumerRequest = {}): Promise<Visitor> {
    const { group = 'visitors' } = request;
    const overrides = { ...quickRetries(1), ...request.overrides };
    const bus = await t.recordedBus({ ...through(door), ...request, group, overrides });
    const visitor = new Visitor(t, bus, group, statusesOf(bus));
    await bus.startConsuming();
    return visitor;
  }

  /** As `enter`, and has handled something. */
  static async atWork(t: CaseContext, door: Door, request: ConsumerRequest = {}): Promise<Visitor> {
    const visitor = await Visitor.enter(t, door, request);
    await visitor.publish();
    await visitor.settled();
    return visitor;
  }

  /** One event of each key. Settles as `bus.publish`. */
  async publish(): Promise<void> {
    this.#sequence += 1;
    await this.t.publish(this.bus, makeEvents({ keys: KEYS, from: this.#sequence }));
    this.#confirmed += KEYS;
  }

  /** One event that the group gives up at once. */
  async publishHopeless(): Promise<void> {
    const event = makeEvent({ key: HOPELESS, behaviour: { nonRetryable: true } });
    await this.t.publish(this.bus, event);
    this.#givenUp.add(event.eventId);
  }

  /** Until what was confirmed is handled, in order, each once or again after a loss. */
  async settled(): Promise<void> {
    const { group } = this;
    await this.t.untilHandled(this.#confirmed, { group });
    this.t.expectClean({ group, givenUp: this.#givenUp, tolerate: ['duplicated'] });
  }

  /** Until the status told of this code. */
  async hears(code: string): Promise<void> {
    await this.t.until(`a status with ${code}`, () => this.heard(code) > 0);
  }

  /** How often the status told of this code so far. */
  heard(code: string): number {
    return this.statuses.filter((status) => codeOf(status) === code).length;
  }
}

/** The code that a status is about. */
function codeOf(status: BusStatus): string | undefined {
  if (status.type === 'disconnected') return status.cause.code;
  return 'error' in status ? status.error.code : undefined;
}

/** Everything that a bus is for: publish, consume, give up, look, replay, lag. Resolves to what was seen. */
export async function worksEndToEnd(t: CaseContext, door: Door): Promise<string> {
  let failing = true;
  const visitor = await Visitor.atWork(t, door, {
    handler: (event) => {
      if (failing && event.aggregateId === HOPELESS) throw new Error('asked to fail');
    },
  });
  const { bus } = visitor;
  await t.publish(bus, makeEvents({ keys: [HOPELESS] }));
  await t.until('the dead letter', async () => (await bus.deadLetters.count()) === 1);
  failing = false;
  assert.equal(await bus.deadLetters.replay({}), 1, 'the dead letter was not replayed');
  await t.untilQuiet(bus);
  assert.equal(await bus.deadLetters.count(), 0, 'the dead letter is still there');
  assert.equal((await bus.health()).healthy, true, 'health is not ok');
  assert.equal(visitor.heard('AUTHORIZATION'), 0, 'the user lacks a right');
  return 'works';
}

import { BusError, isBusError, NonRetryableError } from '../../src/errors.js';
import type { DomainEvent } from '../../src/event.js';
import type { HandlerContext } from '../../src/event-bus.js';
import { TransportEventBus } from '../../src/transport-event-bus.js';
import { PublishHistory } from './publish-history.js';
import type { Published, Step } from './scenario.js';
import { Life } from './time.js';
import { SimulatedTransport } from './transport.js';
import { type Trouble, Wire } from './wire.js';
import type { World } from './world.js';

const AGAIN_MS = 10;
/** What `shutdown` may take beyond its time-out: it waits for the transport to close. */
const CLOSE_MS = 5_100;
const SUCCEED: Step = { does: 'succeed', afterMs: 0 };

/** A process that is started again whenever it ended: a bus that consumes in a group, or one that only publishes. */
export class SimulatedProcess {
  life: Life = new Life();
  wire!: Wire;
  bus!: TransportEventBus;
  published!: PublishHistory;
  /** Ended, or ending, and not started again yet. */
  isDown = true;
  /** Ended in order. */
  isShut = false;
  private transport!: SimulatedTransport;
  private lives = 0;
  private readonly closed = new Set<Life>();

  constructor(
    private readonly world: World,
    private readonly name: string,
    /** Undefined for the one that only publishes. */
    private readonly group: string | undefined,
  ) {
    this.start();
  }

  publish(events: readonly { readonly id: string; readonly event: Published }[]): void {
    if (this.isDown) return;
    for (const { id, event } of events) this.world.plans.set(id, event.steps);
    const records = events.map(({ id, event }) => eventOf(id, event.key));
    this.published.call(
      events.map(({ id, event }) => ({ id, key: event.key })),
      () => this.bus.publish(records),
    );
  }

  /** Also in the middle of a shutdown. */
  crash(forMs: number): void {
    const { world, life } = this;
    if (life.ended || this.isShut) return;
    this.tell('dies');
    world.model.count('death');
    world.model.died(life);
    life.ended = true;
    this.published.pending = 0;
    this.isDown = true;
    if (this.group !== undefined) {
      const coordinator = world.coordinatorOf(this.group);
      world.time.after(world.scenario.sessionMs, () => coordinator.expire(life, 0));
    }
    this.startAfter(forMs);
  }

  /** In order: `shutdown`, then a new life. */
  restart(forMs: number): void {
    if (this.isDown) return;
    const { world, life, bus } = this;
    this.tell('shuts down');
    this.isDown = true;
    const late = world.time.after(
      world.optionsOf('g').shutdownTimeoutMs + CLOSE_MS,
      () => world.model.violated(`${this.name}: shutdown does not resolve`),
      life,
    );
    void bus.shutdown().then(() => {
      if (life.ended) return;
      late();
      this.tell('is shut down');
      this.closed.add(life);
      this.isShut = true;
      this.checkStats(bus, true);
      if (forMs < Number.POSITIVE_INFINITY) this.startAfter(forMs);
    });
  }

  stopConsuming(forMs: number): void {
    if (this.isDown || this.group === undefined) return;
    const { bus, life } = this;
    this.tell('stops consuming');
    void bus
      .stopConsuming()
      .then(() => this.world.time.delay(forMs, life))
      .then(() => this.consume(bus, life));
  }

  pause(forMs: number): void {
    const { bus } = this;
    this.tell('pauses');
    bus.pause();
    this.world.time.after(forMs, () => bus.resume(), this.life);
  }

  freeze(forMs: number): void {
    const { world, life } = this;
    this.tell(`freezes for ${forMs} ms`);
    life.frozenUntilMs = Math.max(life.frozenUntilMs, world.time.nowMs + forMs);
    this.silent(forMs);
  }

  cut(forMs: number): void {
    const { world, transport, life } = this;
    this.tell(`is cut off for ${forMs} ms`);
    this.wire.offlineUntilMs = world.time.nowMs + forMs;
    transport.events?.disconnected(new BusError('CONNECTION_LOST', 'cut'));
    world.time.after(forMs, () => transport.events?.reconnected(), life);
    this.silent(forMs);
  }

  trouble(trouble: Trouble): void {
    this.tell(`has trouble until ${trouble.untilMs} ms: ${trouble.kind}, one in ${trouble.oneIn}`);
    this.wire.trouble = trouble;
  }

  heal(): void {
    this.wire.trouble = undefined;
    this.bus.resume();
  }

  checkStats(bus: TransportEventBus = this.bus, isAtRest = false): void {
    const { stats } = bus;
    const ended =
      stats.eventsProcessedSuccess +
      stats.messagesSentToDlq +
      stats.eventsDropped +
      stats.eventsIgnored +
      stats.eventsReleased;
    const { inFlight, eventsConsumed } = stats;
    const { maxInFlight } = this.world.model.terms;
    if (ended + inFlight !== eventsConsumed || inFlight < 0 || inFlight > maxInFlight)
      this.world.model.violated(
        `${this.name}: ${ended} ended, ${inFlight} in flight, ${eventsConsumed} consumed`,
      );
    if (isAtRest && inFlight > 0) this.world.model.violated(`${this.name}: ${inFlight} in flight at rest`);
  }

  /** The broker hears nothing for so long: it gives the partitions to others. */
  private silent(forMs: number): void {
    const { world, life, group } = this;
    const { sessionMs } = world.scenario;
    if (group === undefined || forMs <= sessionMs) return;
    const coordinator = world.coordinatorOf(group);
    world.time.after(sessionMs, () => coordinator.expire(life, forMs - sessionMs));
  }

  private startAfter(ms: number): void {
    this.world.time.after(ms, () => this.start());
  }

  private start(): void {
    const { world, group } = this;
    this.isDown = false;
    this.isShut = false;
    this.lives += 1;
    const life: Life = new Life();
    this.life = life;
    world.name(life, `${this.name}#${this.lives}`);
    this.wire = new Wire(world.time, world.random, life, world.latencyMs);
    this.transport = new SimulatedTransport(world, life, this.wire);
    this.published = new PublishHistory(world.model);
    world.broker.listeners.add(this.published);
    this.bus = new TransportEventBus({
      transport: this.transport,
      options: world.optionsOf(group ?? 'g'),
      clock: world.time.clockOf(life),
      random: () => world.random.next(),
    });
    if (group === undefined) return;
    this.subscribe(this.bus, life, this.transport);
    void this.consume(this.bus, life);
  }

  private subscribe(bus: TransportEventBus, life: Life, transport: SimulatedTransport): void {
    const handle = (handler: number) => (event: DomainEvent, context: HandlerContext) =>
      this.handle(life, transport, handler, event, context);
    bus.subscribe('Simulated', handle(0));
    if (this.world.scenario.handlers > 1) bus.subscribeToAllEvents(handle(1));
  }

  private async consume(bus: TransportEventBus, life: Life): Promise<void> {
    for (;;) {
      try {
        return await bus.startConsuming();
      } catch (error) {
        if (isBusError(error) && error.code === 'BUS_CLOSED') return;
        await this.world.time.delay(AGAIN_MS, life);
      }
    }
  }

  private handle(
    life: Life,
    transport: SimulatedTransport,
    handler: number,
    event: DomainEvent,
    context: HandlerContext,
  ): void | Promise<void> {
    // The engine of a dead process goes on to the end of its turn; nobody sees what it does.
    if (life.ended) return new Promise(() => undefined);
    const { model, time } = this.world;
    const ownership = transport.member?.owned.get(context.partition);
    if (!ownership || this.closed.has(life))
      return model.violated(
        `${this.name}: ${context.partition}/${context.position} started without a partition`,
      );
    const run = ownership.history.started(Number(context.position), handler);
    const { does, afterMs } = this.next(handler, event, context);
    const act = (): void | Promise<void> => {
      if (does === 'hang') return new Promise(() => undefined);
      if (does === 'kill') return this.kill(context);
      if (does === 'succeed') return run.succeeded();
      const isFinal = does === 'throw-final';
      run.failed(isFinal);
      throw isFinal ? new NonRetryableError('final') : new Error('not yet');
    };
    if (afterMs === 0 && does !== 'hang') return act();
    context.signal.addEventListener('abort', () =>
      run.aborted((context.signal.reason as BusError).code === 'HANDLER_TIMEOUT'),
    );
    return time.delay(afterMs, life).then(act);
  }

  private kill({ partition, position, group, signal }: HandlerContext): Promise<void> {
    if (!signal.aborted) {
      const { model } = this.world;
      const fate = model.fateOf(group, partition, Number(position));
      fate.kills += 1;
      model.killed(`${group} ${partition}`, position, fate);
      this.crash(AGAIN_MS);
    }
    return new Promise(() => undefined);
  }

  private next(handler: number, { eventId }: DomainEvent, context: HandlerContext): Step {
    const name = `${context.partition} ${context.position} ${handler}`;
    const calls = this.world.calls;
    const call = calls.get(`${context.group} ${name}`) ?? 0;
    calls.set(`${context.group} ${name}`, call + 1);
    return this.world.plans.get(eventId)?.[handler]?.[call] ?? SUCCEED;
  }

  private tell(what: string): void {
    this.world.model.tell(`${this.name}#${this.lives} ${what}`);
  }
}

function eventOf(id: string, key: string): DomainEvent {
  return {
    eventId: id,
    eventType: 'Simulated',
    eventVersion: 1,
    occurredAt: new Date(1_700_000_000_000),
    aggregateId: key,
    aggregateType: 'Key',
    aggregateVersion: 1,
    correlationId: id,
    metadata: {},
    data: {},
  };
}

import {
  BusError,
  type DeliverySink,
  delay,
  Elapsed,
  reconnectDelayMs,
  within,
} from '@omnibus/core/transport';
import type { Channel, ChannelModel, Message } from 'amqplib';
import { answered, closeChannel } from './client.js';
import { isMissing, toBusError } from './errors.js';
import { OwnedPartition, type PartitionHost } from './owned-partition.js';

/**
 * Unacknowledged messages of a partition. Not an option: a quorum queue gives back what a consumer held in its order only
 * to a consumer that takes as much at once, whenever that comes, so that all processes must agree for ever.
 */
export const PREFETCH = 256;

/** What a slot needs of the consumer. */
export interface SlotHost extends PartitionHost {
  readonly sink: DeliverySink;
  readonly requestTimeoutMs: number;
  readonly handOverTimeoutMs: number;
  /** The connection that stands, or undefined. */
  model(): ChannelModel | undefined;
  journals(): Promise<ReadonlyMap<number, string>>;
  /** A partition was subscribed to, taken over or given up. */
  changed(): void;
  /** The queue is gone. Resolves when it was made anew. */
  queueMissing(): Promise<void>;
  /** It could not be subscribed to, or is no more; that is tried again. */
  troubled(error: BusError): void;
  failed(error: BusError): void;
}

/** What this process is to do about a partition. */
export interface SlotOrder {
  /** Consume its queue, or wait behind the consumer. */
  readonly subscribe: boolean;
  /** Another process waits for it that should have it: hand it over. */
  readonly yieldTo: string | undefined;
  /**
   * Who is to be in front; empty when it is this process. Whoever waits behind another one gives up its place when that
   * changes: the broker takes the one that has waited longest.
   */
  readonly behind: string;
}

/** At most one hand-over of a partition in this time, however often the members change their minds. */
const YIELD_INTERVAL_MS = 2_000;

const NOT_FOUND = 404;
const IDLE: SlotOrder = { subscribe: false, yieldTo: undefined, behind: '' };

/**
 * One partition of a group, as this process sees it. The queue has a single active consumer: the broker gives the
 * messages to the one that has been there longest. Nobody is told that it is the one, so the first delivery tells.
 *
 * A channel for each partition, since closing the channel is the only way to give messages back that keeps their order:
 * cancelling a consumer lets newer ones pass, and returning them one by one may shuffle them.
 */
export class PartitionSlot {
  private order: SlotOrder = IDLE;
  private channel: Channel | undefined;
  /** Who was to be in front when this process queued up. */
  private queuedBehind = '';
  /** A channel that is being closed: the next one must come behind it. */
  private leaving: Promise<void> = Promise.resolve();
  private owned: OwnedPartition | undefined;
  private working: Promise<void> | undefined;
  /** There is an order that was not looked at, or something happened since. */
  private hasNews = false;
  /** What ended the last channel, and is still to be mended. */
  private trouble: BusError | undefined;
  private readonly sinceYield = new Elapsed();
  private hasYielded = false;
  private failures = 0;
  private stopped = false;

  constructor(
    readonly partition: number,
    private readonly queue: string,
    private readonly host: SlotHost,
    private readonly signal: AbortSignal,
  ) {}

  get isSubscribed(): boolean {
    return this.channel !== undefined;
  }

  get isOwned(): boolean {
    return this.owned !== undefined;
  }

  get held(): number {
    return this.owned?.held ?? 0;
  }

  /** Does as the order says, one step after the other. Resolves when nothing is left to do for now. */
  follow(order: SlotOrder): Promise<void> {
    this.order = order;
    this.hasNews = true;
    this.working ??= this.work();
    return this.working;
  }

  /** Its queue was made anew: what was subscribed to before is another one. */
  renew(): void {
    this.lost(new BusError('BROKER', `The queue ${this.queue} was deleted`));
    void this.follow(this.order);
  }

  /** Hands over and gives up for good. */
  async stop(timeoutMs: number, closeWithinMs: number): Promise<void> {
    this.stopped = true;
    this.order = IDLE;
    const { channel, owned } = this;
    await owned?.handOver(timeoutMs);
    const cause = new BusError('FENCED', 'The consumer was stopped');
    if (channel) await this.leave(channel, cause, closeWithinMs);
    // What the broker does not answer ends with the connection.
    const late = (): Error => new Error('still under way');
    await within(closeWithinMs, this.working ?? Promise.resolve(), late).catch(() => undefined);
    // Subscribing was under way.
    if (this.channel) await this.leave(this.channel, cause, closeWithinMs);
  }

  /** The connection is gone or given up, and with it the channel. One that lived on would swallow what it is sent. */
  lost(cause: BusError): void {
    if (this.channel) this.leaving = this.leave(this.channel, cause, this.host.requestTimeoutMs);
  }

  private async work(): Promise<void> {
    while (this.hasNews) {
      this.hasNews = false;
      for (let step = this.nextStep(); step; step = this.nextStep()) await this.makeStep(step);
      // What comes while this function ends must not be missed.
      await Promise.resolve();
    }
    this.working = undefined;
  }

  private async makeStep(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.trouble = toBusError(error, `consume ${this.queue}`);
    }
    this.host.changed();
  }

  private nextStep(): (() => Promise<void>) | undefined {
    if (this.stopped) return undefined;
    const { subscribe, yieldTo, behind } = this.order;
    const { channel, owned, trouble } = this;
    const model = this.host.model();
    if (trouble) {
      this.trouble = undefined;
      // Without a connection there is nothing to be mended here.
      if (model) return () => this.recover(trouble);
    }
    if (!channel) return subscribe && model ? () => this.subscribe() : undefined;
    if (owned)
      return yieldTo !== undefined && this.mayYield() ? () => this.handOver(channel, owned) : undefined;
    if (subscribe && (behind === '' || behind === this.queuedBehind)) return undefined;
    return () => this.leave(channel, new BusError('FENCED', 'Not needed here'), this.host.requestTimeoutMs);
  }

  private async subscribe(): Promise<void> {
    await this.leaving;
    const model = this.host.model();
    if (!model || this.stopped) return;
    const { requestTimeoutMs } = this.host;
    const channel = await answered(requestTimeoutMs, model.createChannel());
    let problem: unknown;
    channel.on('error', (error: Error) => {
      problem = error;
    });
    channel.on('close', () => this.closed(channel, problem));
    this.channel = channel;
    this.queuedBehind = this.order.behind;
    await answered(requestTimeoutMs, channel.prefetch(PREFETCH));
    await answered(
      requestTimeoutMs,
      channel.consume(this.queue, (message) => this.arrived(channel, message)),
    );
    this.failures = 0;
  }

  private arrived(channel: Channel, message: Message | null): void {
    if (this.channel !== channel) return;
    if (message === null) {
      this.missing(channel);
      return;
    }
    const owned = this.owned ?? this.take(channel);
    owned?.deliver(message);
  }

  /** The first delivery: this process is the active one. Undefined when another one, which waits, should be. */
  private take(channel: Channel): OwnedPartition | undefined {
    if (this.stopped) return undefined;
    if (this.order.yieldTo !== undefined && this.mayYield()) {
      this.yielded();
      this.leaving = this.leave(channel, handedOver(this.partition), this.host.requestTimeoutMs);
      return undefined;
    }
    const owned = new OwnedPartition(this.partition, channel, PREFETCH, this.host);
    this.owned = owned;
    owned.attach(this.host.sink.assign(this.partition, owned));
    void this.open(channel, owned);
    return owned;
  }

  private async open(channel: Channel, owned: OwnedPartition): Promise<void> {
    this.host.changed();
    try {
      await owned.open(await this.host.journals());
    } catch (error) {
      if (owned.isLost) return;
      const cause = toBusError(error, `take over partition ${this.partition}`);
      this.host.failed(cause);
      await delay(reconnectDelayMs(++this.failures), this.signal);
      await this.leave(channel, cause, this.host.requestTimeoutMs);
      await this.follow(this.order);
    }
  }

  private async handOver(channel: Channel, owned: OwnedPartition): Promise<void> {
    this.yielded();
    await owned.handOver(this.host.handOverTimeoutMs);
    await this.leave(channel, handedOver(this.partition), this.host.requestTimeoutMs);
  }

  /** Closing gives back what was not acknowledged, in its order, to whoever waits. */
  private async leave(channel: Channel, cause: BusError, timeoutMs: number): Promise<void> {
    if (this.channel !== channel) return;
    this.owned?.acknowledge();
    const closing = closeChannel(channel, timeoutMs);
    this.gone(channel, cause);
    await closing;
  }

  /** The channel ended by itself. */
  private closed(channel: Channel, problem: unknown): void {
    if (this.channel !== channel) return;
    this.trouble = toBusError(problem ?? new Error('The channel was closed'), `consume ${this.queue}`);
    this.gone(channel, this.trouble);
  }

  /** The broker ended the consumer: somebody deleted the queue. */
  private missing(channel: Channel): void {
    this.trouble = new BusError('BROKER', `The queue ${this.queue} was deleted`, {
      cause: { code: NOT_FOUND },
    });
    this.leaving = this.leave(channel, this.trouble, this.host.requestTimeoutMs);
  }

  private async recover(trouble: BusError): Promise<void> {
    if (this.channel) await this.leave(this.channel, trouble, this.host.requestTimeoutMs);
    if (this.signal.aborted) return;
    this.host.troubled(trouble);
    if (isMissing(trouble)) await this.host.queueMissing();
    this.failures += 1;
    await delay(reconnectDelayMs(this.failures), this.signal);
  }

  private gone(channel: Channel, cause: BusError): void {
    if (this.channel !== channel) return;
    this.channel = undefined;
    const { owned } = this;
    this.owned = undefined;
    owned?.lose(cause);
    this.host.changed();
  }

  private mayYield(): boolean {
    return !this.hasYielded || this.sinceYield.ms > YIELD_INTERVAL_MS;
  }

  private yielded(): void {
    this.hasYielded = true;
    this.sinceYield.reset();
  }
}

function handedOver(partition: number): BusError {
  return new BusError('FENCED', `Partition ${partition} goes to another process`);
}

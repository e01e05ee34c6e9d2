import { BusError, delay, reconnectDelayMs } from '@omnibus/core/transport';
import type { ChannelModel } from 'amqplib';
import type { OpenConnection, RabbitMQClient } from './client.js';
import { toBusError } from './errors.js';

/** How a link tells what happens to it. */
export interface LinkEvents {
  /**
   * A connection stands: makes on it what must be there before anybody else uses it. When that fails the connection is
   * given up and tried again.
   */
  opened(open: OpenConnection): Promise<void>;
  /** It is gone, or could not be had. */
  failed(error: BusError): void;
  /** It is up, and what must be there is there. */
  works(): void;
  /** The broker's alarms hold publishers back, with its reason, or let them go on. */
  blocked(reason: string | undefined): void;
}

/** One connection that is kept up: opened again, with back-off, whenever it ends. */
export class Link {
  private readonly closing = new AbortController();
  /** Stands; what must be there may still be missing. */
  private open_: OpenConnection | undefined;
  /** Stands, and everything is there. */
  private ready: OpenConnection | undefined;
  private lastError: unknown;
  private changed: (() => void)[] = [];
  private isBlocked = false;
  /** A connection is being opened: whoever opens it deals with its end. */
  private connecting = false;
  private detach: () => void = () => undefined;

  constructor(
    private readonly client: RabbitMQClient,
    private readonly name: string,
    private readonly events: LinkEvents,
  ) {}

  /** The first connection. Rejects when no address can be connected to; after that the link keeps itself up. */
  async open(): Promise<void> {
    let failure: unknown;
    for (let choice = 0; choice < this.client.choices; choice += 1) {
      try {
        await this.connect();
        return;
      } catch (error) {
        failure = error;
        if (this.closing.signal.aborted || !isWorthAnotherAddress(error)) break;
      }
    }
    throw failure;
  }

  /**
   * The connection that is up. Throws `CONNECTION_LOST` when there is none, and while something is still missing on the
   * one that stands; or why the brokers let this client in no more: nothing is served by waiting for that.
   */
  get model(): ChannelModel {
    if (this.ready) return this.ready.model;
    const reason =
      this.lastError === undefined ? undefined : toBusError(this.lastError, 'connect to RabbitMQ');
    if (reason && !reason.retryable) throw reason;
    throw new BusError('CONNECTION_LOST', `There is no connection to RabbitMQ at ${this.client.addresses}`, {
      cause: this.lastError,
    });
  }

  get isUp(): boolean {
    return this.ready !== undefined;
  }

  get isHeldBack(): boolean {
    return this.isBlocked;
  }

  /** Resolves when it is no longer held back, or no longer up. */
  async unblocked(): Promise<void> {
    while (this.isBlocked && this.open_) await new Promise<void>((resolve) => this.changed.push(resolve));
  }

  /** Gives the connection up at once; it is opened anew. */
  reset(cause: BusError): void {
    const open = this.open_;
    if (!open) return;
    this.lastError = cause;
    open.destroy();
    this.ended(open, cause);
    // It stands all the same: nobody else was given up but this bus.
    if (open.isGiven) void this.connect().catch((error: BusError) => this.events.failed(error));
  }

  async close(): Promise<void> {
    this.closing.abort();
    const open = this.open_;
    this.forget();
    await open?.close();
  }

  private async connect(): Promise<void> {
    const doing = `connect to RabbitMQ at ${this.client.addresses}`;
    let open: OpenConnection | undefined;
    this.connecting = true;
    try {
      open = await this.client.connect(this.name, this.closing.signal);
      // It stood at the very moment of the close, which did not know of it.
      if (this.closing.signal.aborted)
        throw new BusError('CONNECTION_LOST', 'The connection is closed again');
      await this.use(open);
      this.lastError = undefined;
    } catch (error) {
      this.lastError = error;
      if (this.open_ === open) this.forget();
      await open?.close();
      throw toBusError(error, doing);
    } finally {
      this.connecting = false;
    }
  }

  private async use(open: OpenConnection): Promise<void> {
    this.open_ = open;
    this.isBlocked = false;
    this.listen(open);
    await this.events.opened(open);
    if (this.open_ !== open) throw new BusError('CONNECTION_LOST', 'The connection ended at once');
    this.ready = open;
    this.events.works();
  }

  private listen(open: OpenConnection): void {
    const { model } = open;
    const failed = (error: Error): void => {
      this.lastError = error;
    };
    const blocked = (reason: string): void => this.heldBack(open, reason);
    const unblocked = (): void => this.heldBack(open, undefined);
    const closed = (error?: Error): void => this.ended(open, error ?? this.lastError);
    model.on('error', failed).on('close', closed).on('blocked', blocked).on('unblocked', unblocked);
    this.detach = () => {
      model.off('blocked', blocked).off('unblocked', unblocked).off('close', closed);
      // An own connection may still fail while it is being closed.
      if (open.isGiven) model.off('error', failed);
    };
  }

  private heldBack(open: OpenConnection, reason: string | undefined): void {
    if (this.open_ !== open) return;
    this.isBlocked = reason !== undefined;
    this.events.blocked(reason);
    this.wake();
  }

  private ended(open: OpenConnection, cause: unknown): void {
    if (this.open_ !== open) return;
    this.forget();
    if (this.closing.signal.aborted) return;
    const reason = toBusError(
      cause ?? new Error('The connection was closed'),
      'keep the connection to RabbitMQ',
    );
    this.events.failed(
      reason.code === 'BROKER' ? new BusError('CONNECTION_LOST', reason.message, { cause }) : reason,
    );
    if (!open.isGiven && !this.connecting) void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    for (let attempt = 1; !this.closing.signal.aborted && !this.open_; attempt += 1) {
      try {
        await this.connect();
      } catch (error) {
        if (this.closing.signal.aborted) return;
        this.events.failed(toBusError(error, 'connect to RabbitMQ'));
        await delay(reconnectDelayMs(attempt), this.closing.signal);
      }
    }
  }

  private forget(): void {
    this.open_ = undefined;
    this.ready = undefined;
    this.isBlocked = false;
    this.detach();
    this.wake();
  }

  private wake(): void {
    for (const wake of this.changed.splice(0)) wake();
  }
}

/** A wrong password is wrong everywhere. */
function isWorthAnotherAddress(error: unknown): boolean {
  return !(error instanceof BusError) || error.retryable;
}

import { setImmediate as turn } from 'node:timers/promises';

import { BusError, delay, Elapsed } from '@omnibus/core/transport';
import type { ConfirmChannel } from 'amqplib';
import { answered, closeChannel } from './client.js';
import { toBusError } from './errors.js';
import type { Link } from './link.js';
import type { PublishProperties } from './message.js';

/** A message that is to be published. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: PublishProperties;
}

/** What became of a call. */
export interface PublishOutcome {
  /** An error per message that is not known to be stored, by its index. */
  readonly failures: Map<number, BusError>;
  /** Messages that the broker took but that reached no queue. */
  readonly unroutable: readonly number[];
}

/** Most bytes of headers that amqplib encodes, with room for the other properties. */
export const MAX_HEADER_BYTES = 63_000;

/** A lost message is told by nobody; a broker that is slow confirms in this time all the same, as a rule. */
const FIRST_PATIENCE_MS = 5_000;

/** A confirm channel, what is under way on it, and what came back. */
class Outbox {
  outstanding = 0;
  /** Nothing was ever confirmed. */
  isBarren = true;
  error: unknown;
  isClosed = false;
  /** The broker refused a message. */
  wasRefused = false;
  private waiters: (() => void)[] = [];
  /** How often a message of this id came back as unroutable, its confirmation still to come. */
  private readonly returned = new Map<string, number>();

  constructor(readonly channel: ConfirmChannel) {
    channel.on('error', (error: Error) => {
      this.error = error;
    });
    channel.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
    channel.on('drain', () => this.wake());
    channel.on('return', ({ properties }) => {
      const id = String(properties.messageId);
      this.returned.set(id, (this.returned.get(id) ?? 0) + 1);
    });
  }

  /** Whether the message that is confirmed now came back before. */
  takeReturned(id: string): boolean {
    const count = this.returned.get(id);
    if (count === undefined) return false;
    if (count === 1) this.returned.delete(id);
    else this.returned.set(id, count - 1);
    return true;
  }

  /** Resolves at the next change: room in the buffers, a confirmation, the end. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  wake(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }
}

/** Publishes with confirmation, in the order of the calls, with a bounded number of messages under way. */
export class Publisher {
  private outbox: Promise<Outbox> | undefined;
  private current: Outbox | undefined;
  /** How long nothing may be confirmed: longer after each time that was too short for anything. */
  private patienceMs: number;

  constructor(
    private readonly link: Link,
    private readonly window: number,
    /** How long any answer may take. */
    private readonly timeoutMs: number,
    /** Completes "could not …". */
    private readonly doing: string,
  ) {
    this.patienceMs = Math.min(FIRST_PATIENCE_MS, timeoutMs);
  }

  /** Resolves when every message is confirmed, refused, or of unknown fate. Never rejects. */
  async publish(messages: readonly Publication[]): Promise<PublishOutcome> {
    const failures = new Map<number, BusError>();
    const unroutable: number[] = [];
    let outbox: Outbox;
    try {
      await this.link.unblocked();
      outbox = await this.open();
    } catch (error) {
      const reason = toBusError(error, this.doing);
      for (let index = 0; index < messages.length; index += 1) failures.set(index, reason);
      return { failures, unroutable };
    }
    await this.publishOn(outbox, messages, failures, unroutable);
    if (outbox.wasRefused) this.retire(outbox);
    return { failures, unroutable };
  }

  private async publishOn(
    outbox: Outbox,
    messages: readonly Publication[],
    failures: Map<number, BusError>,
    unroutable: number[],
  ): Promise<void> {
    let left = messages.length;
    if (left === 0) return;
    const sinceAnswer = new Elapsed();
    const answered = new AbortController();
    const settle = (index: number, error: unknown): void => {
      if (isRefusal(error)) outbox.wasRefused = true;
      if (error) failures.set(index, this.reasonOf(outbox, error));
      sinceAnswer.reset();
      left -= 1;
      if (left === 0) answered.abort();
    };
    const watching = this.watch(outbox, sinceAnswer, answered.signal);
    for (let index = 0; index < messages.length; index += 1) {
      const message = messages[index] as Publication;
      while (outbox.outstanding >= this.window && !outbox.isClosed) await outbox.changed();
      const hasRoom = this.write(outbox, message, (error) => {
        const cameBack = outbox.takeReturned(message.properties.messageId);
        if (cameBack && !error) unroutable.push(index);
        settle(index, error);
      });
      // Held back by flow control or an alarm: what is written now would only gather in memory.
      if (!hasRoom && !outbox.isClosed) await outbox.changed();
    }
    await watching;
  }

  /**
   * Resolves when everything is answered. A broker that has just started, or a queue whose leader died, may have been sent
   * to in vain, which nobody tells: when nothing is answered for too long the channel is given up, so that what is of
   * unknown fate is published again.
   */
  private async watch(outbox: Outbox, sinceAnswer: Elapsed, answered: AbortSignal): Promise<void> {
    while (!answered.aborted) {
      await delay(Math.max(1, this.patienceMs - sinceAnswer.ms), answered);
      if (answered.aborted) return;
      // After this process stood still, what came meanwhile is read before the verdict.
      await turn();
      if (!this.link.isHeldBack) {
        if (sinceAnswer.ms < this.patienceMs) continue;
        await this.giveUp(outbox);
      }
      sinceAnswer.reset();
    }
  }

  private async giveUp(outbox: Outbox): Promise<void> {
    // It may only be slow: a broker that never confirms in time would get everything again and again.
    if (outbox.isBarren) this.patienceMs = Math.min(2 * this.patienceMs, this.timeoutMs);
    await closeChannel(outbox.channel, this.timeoutMs);
  }

  /** False when the buffers are full: the message is taken all the same. */
  private write(outbox: Outbox, message: Publication, confirmed: (error: unknown) => void): boolean {
    if (outbox.isClosed) {
      confirmed(outbox.error ?? new BusError('CONNECTION_LOST', 'The channel was closed'));
      return true;
    }
    const { exchange, routingKey, content, properties } = message;
    outbox.outstanding += 1;
    let isOver = false;
    const once = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      outbox.outstanding -= 1;
      if (!error) outbox.isBarren = false;
      outbox.wake();
      confirmed(error);
    };
    try {
      return outbox.channel.publish(exchange, routingKey, content, properties, once);
    } catch (error) {
      once(error);
      return true;
    }
  }

  private reasonOf(outbox: Outbox, error: unknown): BusError {
    if (isRefusal(error))
      return new BusError(
        'BROKER',
        `Could not ${this.doing}: the broker refused the message (a full queue, or one without a leader)`,
        {
          cause: error,
        },
      );
    return toBusError(outbox.isClosed || outbox.error ? (outbox.error ?? lost(error)) : error, this.doing);
  }

  /**
   * A channel remembers who led a queue when it first sent to it, and refuses for ever when that one is gone: what comes
   * next gets a channel of its own. Closed when nothing is under way on it any more.
   */
  private retire(outbox: Outbox): void {
    if (this.current === outbox) this.outbox = undefined;
    if (outbox.outstanding === 0) void closeChannel(outbox.channel, this.timeoutMs);
  }

  private open(): Promise<Outbox> {
    this.outbox ??= this.create();
    return this.outbox;
  }

  private create(): Promise<Outbox> {
    const creating = answered(this.timeoutMs, this.link.model.createConfirmChannel()).then((channel) => {
      channel.once('close', forget);
      this.current = new Outbox(channel);
      return this.current;
    });
    const forget = (): void => {
      if (this.outbox === creating) this.outbox = undefined;
    };
    creating.catch(forget);
    return creating;
  }
}

function isRefusal(error: unknown): boolean {
  return (error as Error | null)?.message === 'message nacked';
}

function lost(cause: unknown): BusError {
  return new BusError('CONNECTION_LOST', 'The channel was closed before the broker confirmed', { cause });
}

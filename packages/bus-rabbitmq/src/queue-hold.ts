import { BusError, delay } from '@omnibus/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { answered, closeChannel } from './client.js';

const POLL_MS = 5;

/**
 * Everything in a queue, held by this process without being taken out: consumed and not acknowledged. Closing the channel
 * gives back what is left, in its order. The caller sees to it that nobody else does the same meanwhile.
 */
export class QueueHold {
  private removed = 0;
  private received = 0;

  private constructor(
    private readonly channel: Channel,
    private readonly queue: string,
    private readonly timeoutMs: number,
  ) {}

  /** Calls `seen` with each message in order. Resolves when all have come. Rejects with reply code 404 without a queue. */
  static async open(
    model: ChannelModel,
    queue: string,
    timeoutMs: number,
    seen: (message: ConsumeMessage) => void,
  ): Promise<QueueHold> {
    const channel = await answered(timeoutMs, model.createChannel());
    channel.on('error', () => undefined);
    const hold = new QueueHold(channel, queue, timeoutMs);
    try {
      await hold.fill(seen);
      return hold;
    } catch (error) {
      await closeChannel(channel, timeoutMs);
      throw error;
    }
  }

  /** Takes one out for good. */
  remove(deliveryTag: number): void {
    this.channel.ack({ fields: { deliveryTag } } as ConsumeMessage);
    this.removed += 1;
  }

  /** Resolves when the broker has worked through what came before. */
  async flush(): Promise<void> {
    await answered(this.timeoutMs, this.channel.prefetch(0));
  }

  /** Resolves when what is left is back in the queue. */
  async close(model: ChannelModel): Promise<void> {
    const left = this.received - this.removed;
    await closeChannel(this.channel, this.timeoutMs);
    if (left > 0) await this.returned(model, left);
  }

  private async fill(seen: (message: ConsumeMessage) => void): Promise<void> {
    const deadlineMs = Date.now() + this.timeoutMs;
    const messageCount = await this.ready(this.channel);
    const consuming = this.channel.consume(this.queue, (message) => {
      if (message === null) return;
      this.received += 1;
      seen(message);
    });
    await answered(this.timeoutMs, consuming);
    while (this.received < messageCount || (await this.ready(this.channel)) > 0) {
      if (Date.now() > deadlineMs)
        throw new BusError('TIMEOUT', `${this.queue} could not be read within ${this.timeoutMs} ms`);
      await delay(POLL_MS);
    }
    // What was on its way to this channel when the queue said that it has no more comes before this answer.
    await this.flush();
  }

  private async ready(channel: Channel): Promise<number> {
    return (await answered(this.timeoutMs, channel.checkQueue(this.queue))).messageCount;
  }

  private async returned(model: ChannelModel, count: number): Promise<void> {
    const deadlineMs = Date.now() + this.timeoutMs;
    const channel = await answered(this.timeoutMs, model.createChannel());
    channel.on('error', () => undefined);
    try {
      while ((await this.ready(channel)) < count && Date.now() < deadlineMs) await delay(POLL_MS);
    } finally {
      await closeChannel(channel, this.timeoutMs);
    }
  }
}

import amqplib, { type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib';

import type { Client, Consumer, ConsumerSpec, Publisher } from '../client.js';
import type { PlainEvent } from '../events.js';
import { KeyLanes } from './key-lanes.js';

/** Messages that may wait for confirmation. */
const CONFIRM_WINDOW = 1_000;
const PREFETCH = 1_000;
const ACK_EVERY = 200;

/** amqplib used by hand: one quorum queue, published to through the default exchange. */
export class RawAmqplib implements Client {
  constructor(
    private readonly url: string,
    private readonly queue: string,
  ) {}

  async openPublisher(): Promise<Publisher> {
    const connection = await this.connect();
    const channel = await connection.createConfirmChannel();
    const window = new Window(CONFIRM_WINDOW);
    const send = (event: PlainEvent): Promise<void> =>
      new Promise((resolve, reject) => {
        const options = { persistent: true, headers: { aggregate_id: event.aggregate_id } };
        channel.publish('', this.queue, Buffer.from(JSON.stringify(event)), options, (error: unknown) => {
          window.leave();
          if (error) reject(error instanceof Error ? error : new Error(String(error)));
          else resolve();
        });
      });
    return {
      publish: async ({ plain }) => {
        const confirmed: Promise<void>[] = [];
        for (const event of plain) {
          if (window.isFull) await window.room();
          window.enter();
          confirmed.push(send(event));
        }
        await Promise.all(confirmed);
      },
      close: () => connection.close(),
    };
  }

  async createGroup(): Promise<void> {
    const connection = await this.connect();
    await declare(await connection.createChannel(), this.queue);
    await connection.close();
  }

  async openConsumer({ concurrency, handle }: ConsumerSpec): Promise<Consumer> {
    const connection = await this.connect();
    const channel = await connection.createChannel();
    await declare(channel, this.queue);
    await channel.prefetch(PREFETCH);
    const take =
      concurrency === undefined
        ? inBatches(channel, handle)
        : inLanes(channel, new KeyLanes(concurrency, handle));
    await channel.consume(this.queue, (message) => message && take(message));
    return {
      close: async () => {
        channel.ackAll();
        await channel.close();
        await connection.close();
      },
    };
  }

  private connect(): Promise<ChannelModel> {
    return amqplib.connect(this.url, { noDelay: true });
  }
}

async function declare(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(queue, {
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
  });
}

function inBatches(channel: Channel, handle: ConsumerSpec['handle']): (message: ConsumeMessage) => void {
  let unacknowledged = 0;
  return (message) => {
    void handle(JSON.parse(message.content.toString()));
    unacknowledged += 1;
    if (unacknowledged % ACK_EVERY === 0) channel.ack(message, true);
  };
}

/** Each is acknowledged when it is done. */
function inLanes(channel: Channel, lanes: KeyLanes): (message: ConsumeMessage) => void {
  return (message) =>
    lanes.add(String(message.properties.headers?.aggregate_id), message.content.toString(), () =>
      channel.ack(message),
    );
}

/** Bounds what is under way. */
class Window {
  private count = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly size: number) {}

  get isFull(): boolean {
    return this.count >= this.size;
  }

  enter(): void {
    this.count += 1;
  }

  leave(): void {
    this.count -= 1;
    for (const go of this.waiting.splice(0)) go();
  }

  async room(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

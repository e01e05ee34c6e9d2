import { randomUUID } from 'node:crypto';

import { importFromProject } from '../load-package.js';
import type { AmqpChannel, AmqpConnection, AmqpLib, AmqpMessage } from './amqplib-types.js';

const NOT_FOUND = 404;
/** The type of the message that marks the end of what is read. */
const END = 'conformance.end';

/** A connection for what a test looks at or writes past the bus. Opened anew when it was lost. */
export class RabbitMQSession {
  #open: Promise<AmqpConnection> | undefined;

  constructor(private readonly url: string) {}

  connection(): Promise<AmqpConnection> {
    this.#open ??= this.#connect();
    return this.#open;
  }

  /** A channel for one purpose. What is not there ends it, and gives undefined. */
  async on<T>(work: (channel: AmqpChannel) => Promise<T>): Promise<T | undefined> {
    const channel = await (await this.connection()).createConfirmChannel();
    channel.on('error', () => {});
    try {
      const result = await work(channel);
      await channel.close();
      return result;
    } catch (error) {
      if ((error as { code?: unknown }).code === NOT_FOUND) return undefined;
      throw error;
    }
  }

  async write(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.on(
      (channel) =>
        new Promise<void>((resolve, reject) => {
          channel.publish(exchange, routingKey, content, { persistent: true, ...options }, (error) =>
            error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve(),
          );
        }),
    );
  }

  /** Everything in a stream, in order. A message written now tells where it ends. */
  async readStream(queue: string): Promise<AmqpMessage[]> {
    const end = randomUUID();
    if ((await this.on((channel) => channel.checkQueue(queue))) === undefined) return [];
    await this.write('', queue, Buffer.alloc(0), { messageId: end, type: END });
    const read = await this.on(async (channel) => {
      const found: AmqpMessage[] = [];
      await channel.prefetch(1_000);
      await new Promise<void>((resolve, reject) => {
        const seen = (message: AmqpMessage | null): void => {
          if (message?.properties.messageId === end) return resolve();
          if (message === null) return reject(new Error(`${queue} was deleted`));
          channel.ack(message);
          found.push(message);
        };
        channel.consume(queue, seen, { arguments: { 'x-stream-offset': 'first' } }).catch(reject);
      });
      return found;
    });
    return (read ?? []).filter(
      ({ properties }) => properties.type !== END && properties.type !== 'omnibus.end-of-history',
    );
  }

  /** Everything in a queue, which stays there. */
  async readQueue(queue: string): Promise<AmqpMessage[]> {
    const read = await this.on(async (channel) => {
      const found: AmqpMessage[] = [];
      const { messageCount } = await channel.checkQueue(queue);
      if (messageCount === 0) return found;
      await new Promise<void>((resolve, reject) => {
        const seen = (message: AmqpMessage | null): void => {
          if (message !== null) found.push(message);
          if (found.length === messageCount) resolve();
        };
        channel.consume(queue, seen).catch(reject);
      });
      return found;
    });
    return read ?? [];
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    const connection = await open;
    await connection?.close().catch(() => {});
  }

  async #connect(): Promise<AmqpConnection> {
    const { connect } = (await importFromProject('amqplib')) as AmqpLib;
    const connection = await connect(this.url, { noDelay: true }).catch((error: unknown) => {
      this.#open = undefined;
      throw error;
    });
    connection.on('error', () => {});
    connection.on('close', () => {
      this.#open = undefined;
    });
    return connection;
  }
}

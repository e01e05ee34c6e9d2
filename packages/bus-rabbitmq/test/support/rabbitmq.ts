import { Told, uniqueName } from '@omnibus/conformance-tests';
import type { HistoryQuery } from '@omnibus/core/transport';
import amqplib, { type ChannelModel } from 'amqplib';
import {
  type RabbitMQEventBusOptions,
  type ResolvedRabbitMQOptions,
  resolveRabbitMQOptions,
} from '../../src/options.js';
import { RabbitMQTransport } from '../../src/transport.js';

/** Addresses of the broker that all test files share. */
export function sharedUrls(): string[] {
  const urls = process.env.OMNIBUS_TEST_SHARED_RABBITMQ;
  if (!urls)
    throw new Error(
      'The shared RabbitMQ was not started; run the tests with the jest.config.js of this package',
    );
  return urls.split(',');
}

/** Options with an exchange of their own, quick enough for tests. */
export function testOptions(options: RabbitMQEventBusOptions = {}): ResolvedRabbitMQOptions {
  return resolveRabbitMQOptions({
    ...(options.connection ? {} : { urls: sharedUrls() }),
    exchange: uniqueName('exchange'),
    partitions: 4,
    presenceIntervalMs: 200,
    ...options,
  });
}

/** A transport that is open, and what it tells. */
export interface Opened {
  readonly transport: RabbitMQTransport;
  readonly told: Told;
  readonly settings: ResolvedRabbitMQOptions;
}

/** Everything that a test opened, to be closed after it. */
export class Opener {
  private readonly transports: RabbitMQTransport[] = [];

  open(options: RabbitMQEventBusOptions = {}): Promise<Opened> {
    return this.openWith(testOptions(options));
  }

  /** Another process of the same application. */
  sibling({ settings }: Opened): Promise<Opened> {
    return this.openWith(settings);
  }

  async close(): Promise<void> {
    await Promise.all(this.transports.splice(0).map((transport) => transport.close()));
  }

  private async openWith(settings: ResolvedRabbitMQOptions): Promise<Opened> {
    const transport = new RabbitMQTransport(settings);
    const told = new Told();
    this.transports.push(transport);
    await transport.open(told);
    return { transport, told, settings };
  }
}

/** A group that starts now, and stays. */
export function group(name: string): { name: string; startFrom: 'earliest'; ephemeral: boolean } {
  return { name, startFrom: 'earliest', ephemeral: false };
}

/** The values that `records` makes. */
export function values(partition: number, count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${partition}/${first + i}`);
}

/** Waits until `condition` holds; says what it waited for when it does not. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Everything that a transport keeps as history, from there on. */
export async function historyOf(
  { history }: RabbitMQTransport,
  from: HistoryQuery['from'] = { kind: 'beginning' },
  until: HistoryQuery['until'] = { kind: 'now' },
): Promise<string[]> {
  const { batches } = await history.open({ from, until, signal: undefined });
  const found: string[] = [];
  for await (const { records } of batches) found.push(...records.map(({ value }) => String(value)));
  return found;
}

/** A client of amqplib for what a test looks at or writes past the bus; closed by `close`. */
export class Outsider {
  private connection: Promise<ChannelModel> | undefined;

  open(): Promise<ChannelModel> {
    this.connection ??= amqplib.connect(sharedUrls()[0] ?? '');
    return this.connection;
  }

  /** Publishes as a foreign service does. */
  async publish(exchange: string, routingKey: string, value: string, options: object = {}): Promise<void> {
    const channel = await (await this.open()).createConfirmChannel();
    channel.publish(exchange, routingKey, Buffer.from(value), { persistent: true, ...options });
    await channel.waitForConfirms();
    await channel.close();
  }

  async count(queue: string): Promise<number> {
    const channel = await (await this.open()).createChannel();
    const { messageCount } = await channel.checkQueue(queue);
    await channel.close();
    return messageCount;
  }

  async exists(queue: string): Promise<boolean> {
    const channel = await (await this.open()).createChannel();
    channel.on('error', () => undefined);
    try {
      await channel.checkQueue(queue);
      await channel.close();
      return true;
    } catch {
      return false;
    }
  }

  async deleteQueue(queue: string): Promise<void> {
    const channel = await (await this.open()).createChannel();
    await channel.deleteQueue(queue);
    await channel.close();
  }

  async close(): Promise<void> {
    const open = this.connection;
    this.connection = undefined;
    await (await open)?.close();
  }
}

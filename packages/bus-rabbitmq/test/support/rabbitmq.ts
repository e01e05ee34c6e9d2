import { randomUUID } from 'node:crypto';
import type { OutboundRecord, TransportEvents } from '@omnibus/core/transport';
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

/** A name that no other test uses. */
export function uniqueName(what = 't'): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

/** What a transport told. */
export class Told implements TransportEvents {
  readonly disconnections: Error[] = [];
  reconnections = 0;
  readonly ownerships: (readonly number[])[] = [];
  readonly errors: Error[] = [];
  readonly warnings: string[] = [];
  fencedCount = 0;

  disconnected(cause: Error): void {
    this.disconnections.push(cause);
  }
  reconnected(): void {
    this.reconnections += 1;
  }
  rebalanced(_group: string, partitions: readonly number[]): void {
    this.ownerships.push([...partitions].sort((a, b) => a - b));
  }
  error(error: Error): void {
    this.errors.push(error);
  }
  warning(message: string): void {
    this.warnings.push(message);
  }
  fenced(count: number): void {
    this.fencedCount += count;
  }
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
export async function openTransport(
  options: RabbitMQEventBusOptions = {},
): Promise<{ transport: RabbitMQTransport; told: Told; settings: ResolvedRabbitMQOptions }> {
  const settings = testOptions(options);
  const transport = new RabbitMQTransport(settings);
  const told = new Told();
  await transport.open(told);
  return { transport, told, settings };
}

/** A group that starts now, and stays. */
export function group(name: string): { name: string; startFrom: 'earliest'; ephemeral: boolean } {
  return { name, startFrom: 'earliest', ephemeral: false };
}

/** A record as core would build it. */
export function record(
  partition: number,
  value: string,
  extra: Partial<OutboundRecord> = {},
): OutboundRecord {
  return {
    partition,
    key: `key-${partition}`,
    value: Buffer.from(value),
    headers: { event_id: value, event_type: 'T' },
    timestampMs: Date.now(),
    event: {
      eventId: value,
      eventType: 'T',
      aggregateId: `key-${partition}`,
      aggregateType: 'A',
      aggregateVersion: 1,
      occurredAt: '2026-01-01T00:00:00Z',
    },
    ...extra,
  };
}

/** `count` records of one partition, numbered from `first`. */
export function records(partition: number, count: number, first = 0): OutboundRecord[] {
  return Array.from({ length: count }, (_, i) => record(partition, `${partition}/${first + i}`));
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

/** Sends like core: what failed with a retryable error is sent again, in order, until nothing is left. */
export async function publish(transport: RabbitMQTransport, all: readonly OutboundRecord[]): Promise<void> {
  let left = all;
  while (left.length > 0) {
    const { failures } = await transport.send(left);
    const fatal = failures.find(({ error }) => !error.retryable);
    if (fatal) throw fatal.error;
    const failed = new Set(failures.map(({ index }) => index));
    left = left.filter((_, index) => failed.has(index));
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
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

import { randomUUID } from 'node:crypto';
import type { OutboundRecord, TransportEvents } from '@omnibus/core/transport';
import {
  type KafkaEventBusOptions,
  type ResolvedKafkaOptions,
  resolveKafkaOptions,
} from '../../src/options.js';
import { KafkaTransport } from '../../src/transport.js';

/** Addresses of the broker that all test files share. */
export function sharedBrokers(): string[] {
  const addresses = process.env.OMNIBUS_TEST_SHARED_KAFKA;
  if (!addresses)
    throw new Error(
      'The shared Kafka was not started; run the tests with the jest.config.js of this package',
    );
  return addresses.split(',');
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

/** Options with a topic prefix of their own, quick enough for tests. */
export function testOptions(options: KafkaEventBusOptions = {}): ResolvedKafkaOptions {
  return resolveKafkaOptions({
    ...(options.kafka ? {} : { brokers: sharedBrokers() }),
    topicPrefix: uniqueName('topic'),
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 300,
    maxWaitTimeMs: 200,
    ...options,
  });
}

/** A transport that is open, and what it tells. */
export async function openTransport(
  options: KafkaEventBusOptions = {},
): Promise<{ transport: KafkaTransport; told: Told; settings: ResolvedKafkaOptions }> {
  const settings = testOptions(options);
  const transport = new KafkaTransport(settings);
  const told = new Told();
  await transport.open(told);
  return { transport, told, settings };
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
    headers: { event_id: value },
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

/** Waits until `condition` holds; says what it waited for when it does not. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sends like core: what failed with a retryable error is sent again, in order, until nothing is left. */
export async function publish(transport: KafkaTransport, all: readonly OutboundRecord[]): Promise<void> {
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

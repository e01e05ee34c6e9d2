import { Told, uniqueName } from '@omnibus/conformance-tests';
import {
  type KafkaEventBusOptions,
  type ResolvedKafkaOptions,
  resolveKafkaOptions,
} from '../../src/options.js';
import { KafkaTransport } from '../../src/transport.js';

export { record, records, sendAll as publish, Told, uniqueName } from '@omnibus/conformance-tests';

/** Addresses of the broker that all test files share. */
export function sharedBrokers(): string[] {
  const addresses = process.env.OMNIBUS_TEST_SHARED_KAFKA;
  if (!addresses)
    throw new Error(
      'The shared Kafka was not started; run the tests with the jest.config.js of this package',
    );
  return addresses.split(',');
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

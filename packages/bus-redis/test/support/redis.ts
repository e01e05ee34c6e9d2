import { Told, uniqueName } from '@omnibus/conformance-tests';
import { Redis } from 'ioredis';
import {
  type RedisEventBusOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
} from '../../src/options.js';
import { RedisTransport } from '../../src/transport.js';

/** Address of the server that the test files share. */
export function sharedUrl(): string {
  const url = process.env.OMNIBUS_TEST_SHARED_REDIS;
  if (!url)
    throw new Error(
      'The shared Redis was not started; run the tests with the jest.config.js of this package',
    );
  return url;
}

const WAYS = ['url', 'path', 'sentinel', 'cluster', 'redis'] as const;

/** Options with a prefix of their own, quick enough for tests. */
export function testOptions(options: RedisEventBusOptions = {}): ResolvedRedisOptions {
  return resolveRedisOptions({
    ...(WAYS.some((way) => options[way] !== undefined) ? {} : { url: sharedUrl() }),
    streamPrefix: uniqueName('prefix'),
    partitions: 4,
    leaseMs: 2_000,
    heartbeatIntervalMs: 200,
    ...options,
  });
}

/** A transport that is open, what it tells, and a client to look past it. */
export interface Opened {
  readonly transport: RedisTransport;
  readonly told: Told;
  readonly settings: ResolvedRedisOptions;
}

/** Everything that a test opened, to be closed after it. */
export class Opener {
  private readonly transports: RedisTransport[] = [];
  private readonly clients: Redis[] = [];

  async open(options: RedisEventBusOptions = {}): Promise<Opened> {
    return this.openWith(testOptions(options));
  }

  /** Another process of the same application. */
  sibling({ settings }: Opened): Promise<Opened> {
    return this.openWith(settings);
  }

  /** A client that looks and meddles. */
  client(url: string = sharedUrl()): Redis {
    const client = new Redis(url);
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.transports.splice(0).map((transport) => transport.close()));
    for (const client of this.clients.splice(0)) client.disconnect();
  }

  private async openWith(settings: ResolvedRedisOptions): Promise<Opened> {
    const transport = new RedisTransport(settings);
    const told = new Told();
    this.transports.push(transport);
    await transport.open(told);
    return { transport, told, settings };
  }
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

import { randomUUID } from 'node:crypto';

import { MemoryBroker } from '@omnibus/core';
import { startKafka, startRabbitMQ, startRedis } from '@omnibus/test-brokers';

import type { BusConnection } from './create-bus.js';

/** What can be asked for with `--bus`. */
export const BUSES = ['memory', 'kafka', 'redis', 'rabbitmq'] as const;

/** A broker of the demo. */
export type BusName = (typeof BUSES)[number];

/** A broker that runs. */
export interface RunningBroker {
  readonly connection: BusConnection;
  /** Ends it, if the demo started it. */
  stop(): Promise<void>;
}

/** Starts a broker and resolves when it serves. `say` is told what happens, and what takes long. */
export async function startBroker(bus: BusName, say: (text: string) => void): Promise<RunningBroker> {
  if (bus === 'memory') {
    return { connection: { bus, broker: new MemoryBroker() }, stop: async () => {} };
  }
  // A name of its own: servers named by the environment may hold what another run left.
  const prefix = `flight-delays-${randomUUID().slice(0, 8)}`;
  return START[bus](prefix, say);
}

type Start = (prefix: string, say: (text: string) => void) => Promise<RunningBroker>;

const START: Readonly<Record<Exclude<BusName, 'memory'>, Start>> = {
  kafka: startOnKafka,
  redis: startOnRedis,
  rabbitmq: startOnRabbitMQ,
};

async function startOnKafka(topicPrefix: string, say: (text: string) => void): Promise<RunningBroker> {
  say('Starting Kafka: some seconds; the first time its files are fetched before, which may take minutes');
  const kafka = await startKafka({ report: (line) => say(`  ${line}`) });
  if (kafka.provider === 'environment') say(`  The topics ${topicPrefix}.* stay on these brokers`);
  return {
    connection: { bus: 'kafka', brokers: kafka.brokers, topicPrefix },
    stop: () => kafka.stop(),
  };
}

async function startOnRedis(streamPrefix: string, say: (text: string) => void): Promise<RunningBroker> {
  say('Starting Redis; the first time it is fetched before');
  const redis = await startRedis({ report: (line) => say(`  ${line}`) });
  if (redis.provider === 'environment') say(`  The keys of ${streamPrefix}:* stay on this server`);
  return { connection: { bus: 'redis', url: redis.url, streamPrefix }, stop: () => redis.stop() };
}

async function startOnRabbitMQ(exchange: string, say: (text: string) => void): Promise<RunningBroker> {
  say('Starting RabbitMQ: some seconds; the first time it is installed before');
  const rabbitmq = await startRabbitMQ({ report: (line) => say(`  ${line}`) });
  if (rabbitmq.provider === 'environment') say(`  The queues ${exchange}.* stay on this broker`);
  return { connection: { bus: 'rabbitmq', urls: rabbitmq.urls, exchange }, stop: () => rabbitmq.stop() };
}

import { KafkaEventBus } from '@omnibus/bus-kafka';
import { RabbitMQEventBus } from '@omnibus/bus-rabbitmq';
import { RedisEventBus } from '@omnibus/bus-redis';
import { type EventBus, InMemoryEventBus, type MemoryBroker } from '@omnibus/core';

import { RETRY } from './retry.js';

/** Where the events go. What a server needs can be sent to another process; a memory broker lives in one. */
export type BusConnection =
  | { readonly bus: 'memory'; readonly broker: MemoryBroker }
  | { readonly bus: 'kafka'; readonly brokers: readonly string[]; readonly topicPrefix: string }
  | { readonly bus: 'redis'; readonly url: string; readonly streamPrefix: string }
  | { readonly bus: 'rabbitmq'; readonly urls: readonly string[]; readonly exchange: string };

/** What differs between the buses of the demo. */
export interface DemoBusOptions {
  readonly group: string;
  readonly consumerName: string;
}

/** The least that Kafka's brokers accept by default, so that the partitions of a killed process move soon. */
const SESSION = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000 };
const LEASE = { leaseMs: 6_000, heartbeatIntervalMs: 1_000 };

/** Makes a bus. The one place that knows which broker it is: everything else sees `EventBus`. */
export function createBus(connection: BusConnection, options: DemoBusOptions): EventBus {
  const common = { ...options, retry: RETRY };
  if (connection.bus === 'memory') return new InMemoryEventBus({ ...common, broker: connection.broker });
  if (connection.bus === 'kafka') {
    const { brokers, topicPrefix } = connection;
    return new KafkaEventBus({ ...common, ...SESSION, brokers, topicPrefix });
  }
  if (connection.bus === 'redis') {
    const { url, streamPrefix } = connection;
    return new RedisEventBus({ ...common, ...LEASE, url, streamPrefix });
  }
  const { urls, exchange } = connection;
  return new RabbitMQEventBus({ ...common, urls, exchange });
}

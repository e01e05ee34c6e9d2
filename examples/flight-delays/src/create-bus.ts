import { KafkaEventBus } from '@omnibus/bus-kafka';
import { type EventBus, InMemoryEventBus, type MemoryBroker } from '@omnibus/core';

import { RETRY } from './retry.js';

/** Where the events go. Kafka's can be sent to another process; a memory broker lives in one. */
export type BusConnection =
  | { readonly bus: 'memory'; readonly broker: MemoryBroker }
  | { readonly bus: 'kafka'; readonly brokers: readonly string[]; readonly topicPrefix: string };

/** What differs between the buses of the demo. */
export interface DemoBusOptions {
  readonly group: string;
  readonly consumerName: string;
}

/** The least that brokers accept by default, so that the partitions of a killed process move soon. */
const SESSION = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000 };

/** Makes a bus. The one place that knows which broker it is: everything else sees `EventBus`. */
export function createBus(connection: BusConnection, options: DemoBusOptions): EventBus {
  const common = { ...options, retry: RETRY };
  if (connection.bus === 'memory') return new InMemoryEventBus({ ...common, broker: connection.broker });
  const { brokers, topicPrefix } = connection;
  return new KafkaEventBus({ ...common, ...SESSION, brokers, topicPrefix });
}

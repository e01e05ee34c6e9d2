import { KafkaEventBus } from '@omnibus/bus-kafka';
import { RabbitMQEventBus } from '@omnibus/bus-rabbitmq';
import { RedisEventBus } from '@omnibus/bus-redis';
import { type EventBus, InMemoryEventBus } from '@omnibus/core';

const common = { group: 'billing', retry: { maxRetries: 3, baseDelayMs: 20 } };

/** The same service on another broker: this line is all that changes. */
export const BUSES: Readonly<Record<string, (address: string) => EventBus>> = {
  memory: () => new InMemoryEventBus(common),
  kafka: (address) => new KafkaEventBus({ ...common, brokers: address }),
  redis: (address) => new RedisEventBus({ ...common, url: address }),
  rabbitmq: (address) => new RabbitMQEventBus({ ...common, urls: [address] }),
};

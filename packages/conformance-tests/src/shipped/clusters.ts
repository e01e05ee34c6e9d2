import type { ConformanceSubject } from '../subject.js';
import { clustered, type StartedCluster } from './clustered.js';
import { BROKERS_VARIABLE, createKafkaBus, kafkaSubject } from './kafka.js';
import { createRabbitMQBus, URL_VARIABLE as RABBITMQ_VARIABLE, rabbitMQSubject } from './rabbitmq.js';
import { createRedisBus, URL_VARIABLE as REDIS_VARIABLE, redisSubject } from './redis.js';

const THREE = 3;
/** Three masters, each with a replica. */
const REDIS_NODES = 6;

/** `KafkaEventBus` on three brokers: three replicas, two of which must have what is confirmed. */
export function kafkaClusterSubject(
  start: (options: {
    readonly nodes: number;
  }) => Promise<StartedCluster & { readonly brokers: readonly string[] }>,
): ConformanceSubject {
  return clustered({
    subject: kafkaSubject({ brokers: [] }),
    nodes: THREE,
    start: () => start({ nodes: THREE }),
    addresses: ({ brokers }) => brokers.join(','),
    create: (addresses, request) => createKafkaBus(addresses.split(','), request),
    variable: BROKERS_VARIABLE,
  });
}

/** `RabbitMQEventBus` on three nodes. */
export function rabbitMQClusterSubject(
  start: (options: {
    readonly nodes: number;
  }) => Promise<StartedCluster & { readonly urls: readonly string[] }>,
): ConformanceSubject {
  return clustered({
    subject: rabbitMQSubject({ url: '' }),
    nodes: THREE,
    start: () => start({ nodes: THREE }),
    addresses: ({ urls }) => urls.join(','),
    create: createRabbitMQBus,
    variable: RABBITMQ_VARIABLE,
  });
}

/** `RedisEventBus` on a Cluster, where a publish is confirmed when a replica has it. */
export function redisClusterSubject(
  start: (options: {
    readonly durable: boolean;
  }) => Promise<
    StartedCluster & { readonly addresses: readonly { readonly host: string; readonly port: number }[] }
  >,
): ConformanceSubject {
  return clustered({
    subject: redisSubject({ url: '' }),
    nodes: REDIS_NODES,
    start: () => start({ durable: true }),
    addresses: ({ addresses }) => addresses.map(({ host, port }) => `${host}:${port}`).join(','),
    create: createRedisBus,
    variable: REDIS_VARIABLE,
  });
}

export { cacheFolder, type Report } from './cache.js';
export type { ProviderName } from './choose-provider.js';
export { TestBrokerError, type TestBrokerErrorCode } from './errors.js';
export { type BoundListener, DEFAULT_KAFKA_VERSION, type KafkaOptions } from './kafka/kafka-options.js';
export type { ListenerOptions, ListenerProtocol, ListenerUser, SaslMechanism } from './kafka/listeners.js';
export { prepareKafka } from './kafka/prepare-kafka.js';
export type {
  KafkaNode,
  NodeState,
  RunningKafka,
  RunningListener,
  TlsMaterial,
} from './kafka/running-kafka.js';
export { startKafka } from './kafka/start-kafka.js';

export { KafkaEventBus } from './kafka-event-bus.js';
export type { KafkaCompression, KafkaCompressionCodec, KafkaEventBusOptions } from './options.js';
export type {
  KafkaCredentials,
  KafkaSaslMechanism,
  KafkaSecurityOptions,
  KafkaSecurityProtocol,
  KafkaToken,
} from './security.js';

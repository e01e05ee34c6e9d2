export { KafkaEventBus } from './kafka-event-bus.js';
export type { KafkaCompression, KafkaCompressionCodec, KafkaEventBusOptions } from './options.js';
export type { KafkaSaslMechanism, KafkaSecurityOptions } from './security.js';

export type { Administrable } from './administration.js';
export type { BrokerNode, NodeState } from './broker-node.js';
export { cacheFolder } from './cache.js';
export type { ProviderName } from './choose-provider.js';
export { TestBrokerError, type TestBrokerErrorCode } from './errors.js';
export { type BoundListener, DEFAULT_KAFKA_VERSION, type KafkaOptions } from './kafka/kafka-options.js';
export type { ListenerOptions, ListenerProtocol, ListenerUser, SaslMechanism } from './kafka/listeners.js';
export { prepareKafka } from './kafka/prepare-kafka.js';
export type { KafkaNode, RunningKafka, RunningListener } from './kafka/running-kafka.js';
export { startKafka } from './kafka/start-kafka.js';
export {
  type SignedTokenClaims,
  type TokenClaims,
  type TokenIssuer,
  unsecuredToken,
} from './kafka/tokens.js';
export type { KafkaPlace, WrittenKafka } from './kafka/written-kafka.js';
export type { BrokerLifecycle } from './lifecycle.js';
export type { RabbitMQOptions, RabbitMQPlace } from './rabbitmq/rabbitmq-options.js';
export type {
  RabbitMQPermissions,
  RabbitMQTopicPermissions,
  RabbitMQUserOptions,
} from './rabbitmq/rabbitmq-users.js';
export type { RabbitMQNode, RabbitMQTls, RunningRabbitMQ } from './rabbitmq/running-rabbitmq.js';
export { startRabbitMQ } from './rabbitmq/start-rabbitmq.js';
export type { RedisAddress, RedisUser } from './redis/ask.js';
export { prepareRedis } from './redis/prepare-redis.js';
export type {
  RedisOptions,
  RedisServerName,
  RedisUserOptions,
  RedundantRedisOptions,
  SingleRedisOptions,
} from './redis/redis-options.js';
export { type RedisReply, RedisReplyError } from './redis/resp.js';
export type {
  RedisNode,
  RedisTls,
  RedundantRedis,
  RunningRedis,
  RunningRedisCluster,
  RunningRedisSentinel,
} from './redis/running-redis.js';
export { startRedis, startRedisCluster, startRedisSentinel } from './redis/start-redis.js';
export type { Report } from './report.js';
export type { ClientCertificate, ClientCertificateKind } from './tls-client.js';
export type { ServerCertificate, TlsMaterial } from './tls-files.js';

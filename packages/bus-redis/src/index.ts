export {
  listGroups,
  type RedisGroup,
  type RedisGroupConsumer,
  type RemoveGroupOptions,
  removeConsumer,
  removeGroup,
} from './groups.js';
export type {
  RedisClusterOptions,
  RedisDurabilityOptions,
  RedisEventBusOptions,
  RedisRetentionOptions,
  RedisSentinelOptions,
} from './options.js';
export { RedisEventBus } from './redis-event-bus.js';
export type { RedisCredentials, RedisSecurityOptions } from './security.js';

import { TransportEventBus } from '@omnibus/core/transport';
import { type RedisEventBusOptions, resolveRedisOptions } from './options.js';
import { RedisTransport } from './transport.js';

/**
 * The event bus on Redis Streams: Redis 7.0 and newer, Valkey 8.
 *
 * The constructor checks the options and connects to nothing. Throws one `ConfigurationError` (code `CONFIGURATION`) that
 * lists everything that is wrong with them.
 */
export class RedisEventBus extends TransportEventBus {
  constructor(options: RedisEventBusOptions = {}) {
    const resolved = resolveRedisOptions(options);
    super({ transport: new RedisTransport(resolved), options: resolved });
  }
}

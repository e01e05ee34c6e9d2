import { TcpProxy } from '../proxy.js';
import type { BrokerControl } from './broker-control.js';
import type { RedisSubjectOptions, RedisUnderTest } from './redis.js';
import { type SecuredRedis, type SecuredRedisOptions, securedRedis } from './redis-secured.js';

/** A Redis that was started for tests. */
export interface StartedRedis extends BrokerControl {
  readonly url: string;
  readonly product: string;
  readonly version: string;
  readonly address: { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

/**
 * Options of `redisSubject` for a Redis of one node that is started for the run and can be hurt in every way: as a
 * process, and through a proxy before it.
 */
export function startedRedis(
  start: (
    options: { readonly durable: boolean } | SecuredRedisOptions,
  ) => Promise<StartedRedis & SecuredRedis>,
): RedisSubjectOptions {
  return {
    provides: { control: true, proxied: true, survivesKill: true },
    start: () => startWithProxy(start),
    secured: () => securedRedis(start),
  };
}

async function startWithProxy(
  start: (options: { readonly durable: boolean }) => Promise<StartedRedis>,
): Promise<RedisUnderTest> {
  const redis = await start({ durable: true });
  const network = await TcpProxy.start({ target: redis.address });
  return {
    url: redis.url,
    product: redis.product,
    version: redis.version,
    control: redis,
    proxied: { url: `redis://${network.host}:${network.port}`, network },
    async stop() {
      await network.close();
      await redis.stop();
    },
  };
}

import { chooseProvider } from '../choose-provider.js';
import { offerDocker } from './docker-redis.js';
import { offerEnvironment } from './environment-redis.js';
import { type RedisOptions, resolveRedisOptions } from './redis-options.js';
import { requireRedisServer } from './redis-server.js';

/**
 * Gets what `startRedis` needs ahead of the tests, saying what takes long. Nothing where it would use a Redis
 * named in the environment or Docker. A second call finds everything there.
 */
export async function prepareRedis(given: Pick<RedisOptions, 'server' | 'report'> = {}): Promise<void> {
  const options = resolveRedisOptions('single', given);
  const choice = await chooseProvider<void>('Redis', [
    {
      name: 'environment',
      offer: async () => ({ ...(await offerEnvironment(options)), start: async () => {} }),
    },
    {
      name: 'docker',
      offer: async () => ({ ...(await offerDocker(options)), start: async () => {} }),
    },
    {
      name: 'native',
      offer: async () => ({
        available: true,
        start: async () => {
          const { product, version } = await requireRedisServer(options);
          options.report(`${product} ${version} is here`);
        },
      }),
    },
  ]);
  await choice.start();
  options.report(`Redis is ready to be started: ${choice.name}, since ${choice.reason}`);
}

import { chooseProvider, type Offer, type Provider } from '../choose-provider.js';
import { offerDocker } from './docker-redis.js';
import { offerEnvironment, refuseEnvironment } from './environment-redis.js';
import { offerNative } from './native-redis.js';
import type { RedisAssembly } from './redis-assembly.js';
import {
  type RedundantRedisOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
  type SingleRedisOptions,
} from './redis-options.js';
import type { RunningRedis, RunningRedisCluster, RunningRedisSentinel } from './running-redis.js';
import { runningCluster, runningSentinel } from './running-redundant.js';
import { type Chosen, runningRedis } from './running-single.js';

/**
 * Starts a Redis and resolves when it serves. The one named in `OMNIBUS_REDIS_URL` is taken first, then
 * Docker, then a process of this machine; which, and why, is said in a line. Nothing of it outlives this
 * process. It does not keep this process alive either.
 *
 * Fails with `TestBrokerError`: `INVALID_OPTIONS`, `NO_PROVIDER`, `TOOL_MISSING` or `START_FAILED`, the last
 * with the server's last log lines.
 */
export async function startRedis(options: SingleRedisOptions = {}): Promise<RunningRedis> {
  const resolved = resolveRedisOptions('single', options);
  return start<RunningRedis>(resolved, () => offerEnvironment(resolved), runningRedis);
}

/**
 * Starts a master, a replica and three sentinels, and resolves when they know each other and the replica is in
 * step. In all else like `startRedis`; one Redis named in the environment is refused.
 */
export async function startRedisSentinel(options: RedundantRedisOptions = {}): Promise<RunningRedisSentinel> {
  const resolved = resolveRedisOptions('sentinel', options);
  return start(resolved, () => refuseEnvironment(resolved), runningSentinel);
}

/**
 * Starts a cluster of three masters, each with a replica, and resolves when it serves every slot. In all else
 * like `startRedis`; one Redis named in the environment is refused.
 */
export async function startRedisCluster(options: RedundantRedisOptions = {}): Promise<RunningRedisCluster> {
  const resolved = resolveRedisOptions('cluster', options);
  return start(resolved, () => refuseEnvironment(resolved), runningCluster);
}

async function start<Running extends RunningRedis>(
  options: ResolvedRedisOptions,
  offerExisting: () => Promise<Offer<Running>>,
  run: (assembly: RedisAssembly, options: ResolvedRedisOptions, chosen: Chosen) => Promise<Running>,
): Promise<Running> {
  const providers: Provider<Running | RedisAssembly>[] = [
    { name: 'environment', offer: offerExisting },
    { name: 'docker', offer: () => offerDocker(options) },
    { name: 'native', offer: () => offerNative(options) },
  ];
  const choice = await chooseProvider<Running | RedisAssembly>('Redis', providers);
  const begun = performance.now();
  const started = await choice.start();
  const redis =
    'stop' in started ? started : await runOrRelease(started, () => run(started, options, choice));
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  options.report(`${redis.describe()}, ready in ${seconds} s`);
  return redis;
}

async function runOrRelease<T>(assembly: RedisAssembly, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    await assembly.release();
    throw error;
  }
}

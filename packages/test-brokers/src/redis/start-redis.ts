import { chooseProvider, type Provider, type ProviderName } from '../choose-provider.js';
import { lifecycleOf, nodeAt } from '../lifecycle.js';
import { offerEnvironment } from './environment-redis.js';
import { offerNative } from './native-redis.js';
import type { RedisAssembly } from './redis-assembly.js';
import { identityOf, parseInfo } from './redis-node.js';
import { type ResolvedRedisOptions, resolveRedisOptions, type SingleRedisOptions } from './redis-options.js';
import type { RedisTls, RunningRedis } from './running-redis.js';

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
  const begun = performance.now();
  const choice = await chooseProvider('Redis', providers(resolved));
  const started = await choice.start();
  const redis = 'stop' in started ? started : await runningRedis(started, resolved, choice);
  sayReady(redis, resolved, begun);
  return redis;
}

function providers(options: ResolvedRedisOptions): Provider<RunningRedis | RedisAssembly>[] {
  return [
    { name: 'environment', offer: () => offerEnvironment(options) },
    { name: 'native', offer: () => offerNative(options) },
  ];
}

function sayReady(redis: RunningRedis, { report }: ResolvedRedisOptions, begun: number): void {
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  report(`${redis.describe()}, ready in ${seconds} s`);
}

/** A Redis of one node as its users see it. */
async function runningRedis(
  assembly: RedisAssembly,
  options: ResolvedRedisOptions,
  chosen: { readonly name: ProviderName; readonly reason: string },
): Promise<RunningRedis> {
  const { nodes, admin, release } = assembly;
  const first = nodeAt('Redis', nodes, 0);
  const { address } = first;
  const { product, version } = identityOf(parseInfo(await first.ask('INFO', 'server')));
  const addresses = nodes.map((node) => `${node.address.host}:${node.address.port}`).join(', ');
  return {
    url: `redis://${address.host}:${address.port}`,
    address,
    product,
    version,
    provider: chosen.name,
    tls: runningTls(assembly),
    socketPath: assembly.layouts[0]?.socketPath,
    users: options.users,
    admin,
    nodes,
    node: (index) => nodeAt(product, nodes, index),
    ask: (...command) => first.ask(...command),
    describe: () => `${product} ${version} at ${addresses}: ${chosen.name}, since ${chosen.reason}`,
    ...lifecycleOf({ product, nodes, awaitWhole: async () => {}, release }),
  };
}

function runningTls({ tls, layouts }: RedisAssembly): RedisTls | undefined {
  const [layout] = layouts;
  if (tls === undefined || layout?.tlsPort === undefined) return undefined;
  const address = { host: layout.host, port: layout.tlsPort };
  return { ...tls, address, url: `rediss://${address.host}:${address.port}` };
}

import type { ProviderName } from '../choose-provider.js';
import { lifecycleOf, nodeAt } from '../lifecycle.js';
import { administerRedis } from './administer-redis.js';
import type { RedisAssembly } from './redis-assembly.js';
import { identityOf, infoOfNode } from './redis-node.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import type { RedisTls, RunningRedis } from './running-redis.js';

/** The provider that was taken, and why. */
export interface Chosen {
  readonly name: ProviderName;
  readonly reason: string;
}

/**
 * What every Redis that was started here has.
 *
 * @param awaitWhole resolves when the nodes, each of which serves, serve as one
 */
export async function runningRedis(
  assembly: RedisAssembly,
  options: ResolvedRedisOptions,
  chosen: Chosen,
  awaitWhole: () => Promise<void> = async () => {},
): Promise<RunningRedis> {
  const { nodes, sentinels, admin, release } = assembly;
  const first = nodeAt('Redis', nodes, 0);
  const { address } = first;
  const { product, version } = identityOf(await infoOfNode(first, 'server'));
  const kind = options.topology === 'single' ? '' : ` ${options.topology}`;
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
    describe: () => `${product} ${version}${kind} at ${addresses}: ${chosen.name}, since ${chosen.reason}`,
    ...lifecycleOf({
      product,
      nodes: [...nodes, ...sentinels],
      awaitWhole,
      administer: (command) => administerRedis(nodes, command),
      release,
    }),
  };
}

function runningTls({ tls, brokerTls, layouts, nodes }: RedisAssembly): RedisTls | undefined {
  const [layout] = layouts;
  if (tls === undefined || brokerTls === undefined || layout?.tlsPort === undefined) return undefined;
  const address = { host: layout.host, port: layout.tlsPort };
  return {
    ...tls,
    address,
    url: `rediss://${address.host}:${address.port}`,
    show: async (certificate) => {
      const path = brokerTls.certificatePaths[certificate];
      await nodeAt('Redis', nodes, 0).ask('CONFIG', 'SET', 'tls-cert-file', path, 'tls-key-file', path);
    },
  };
}

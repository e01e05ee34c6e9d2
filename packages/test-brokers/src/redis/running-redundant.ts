import { awaitReady } from '../readiness.js';
import { holds, membersSeenBy, probeCluster } from './cluster-view.js';
import { assignReplicas, formCluster, idOf } from './form-cluster.js';
import { moveSlot } from './move-slot.js';
import type { RedisAssembly } from './redis-assembly.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import type { RedisNode, RunningRedisCluster, RunningRedisSentinel } from './running-redis.js';
import { type Chosen, runningRedis } from './running-single.js';
import { MASTER_NAME } from './sentinel-config.js';
import { masterOf, probeSentinels } from './sentinel-view.js';

/** A master, a replica and their sentinels as their users see them; resolves when they have found each other. */
export async function runningSentinel(
  assembly: RedisAssembly,
  options: ResolvedRedisOptions,
  chosen: Chosen,
): Promise<RunningRedisSentinel> {
  const { nodes, sentinels } = assembly;
  const settled = (): Promise<void> =>
    settle('The sentinels', assembly, options, () => probeSentinels(nodes, sentinels));
  await settled();
  return {
    ...(await runningRedis(assembly, options, chosen, settled)),
    addresses: nodes.map(({ address }) => address),
    sentinels,
    sentinelAddresses: sentinels.map(({ address }) => address),
    masterName: MASTER_NAME,
    master: () => masterOf(nodes, sentinels),
    settled,
  };
}

/** Makes a cluster of nodes that are new, and resolves when it serves. */
export async function runningCluster(
  assembly: RedisAssembly,
  options: ResolvedRedisOptions,
  chosen: Chosen,
): Promise<RunningRedisCluster> {
  const { nodes, layouts, admin } = assembly;
  const settled = (): Promise<void> => settle('The cluster', assembly, options, () => probeCluster(nodes));
  await formCluster(nodes, layouts);
  await settle('The cluster', assembly, options, () => assignReplicas(nodes));
  await settled();
  const masters = (): Promise<RedisNode[]> => nodesWhere(nodes, ({ slots }) => slots.length > 0);
  const ownerOf = async (slot: number): Promise<RedisNode> => {
    const [owner] = await nodesWhere(nodes, ({ slots }) => slots.some((range) => holds(range, slot)));
    if (owner === undefined) throw new Error(`nobody owns slot ${slot}`);
    return owner;
  };
  return {
    ...(await runningRedis(assembly, options, chosen, settled)),
    addresses: nodes.map(({ address }) => address),
    settled,
    masters,
    ownerOf,
    replicasOf: async (master) => {
      const id = await idOf(master);
      return nodesWhere(nodes, ({ masterId }) => masterId === id);
    },
    moveSlot: async (slot, to, afterEachKey = async () => {}) => {
      const from = await ownerOf(slot);
      await moveSlot({ slot, from, to, masters: await masters(), admin, afterEachKey });
      await settled();
    },
  };
}

/** The nodes of which that is true, as the first that runs sees them. */
async function nodesWhere(
  nodes: readonly RedisNode[],
  holdsFor: (member: Awaited<ReturnType<typeof membersSeenBy>>[number]) => boolean,
): Promise<RedisNode[]> {
  const asked = nodes.find(({ state }) => state === 'running');
  if (asked === undefined) throw new Error('no node of the cluster runs');
  const ports = (await membersSeenBy(asked)).filter(holdsFor).map(({ port }) => port);
  return nodes.filter(({ address }) => ports.includes(address.port));
}

async function settle(
  what: string,
  { nodes, sentinels }: RedisAssembly,
  { startTimeoutMs }: ResolvedRedisOptions,
  probe: () => Promise<void>,
): Promise<void> {
  await awaitReady({
    probe,
    exited: new Promise(() => {}),
    timeoutMs: startTimeoutMs,
    what,
    lastLogLines: () => [...nodes, ...sentinels].map((node) => lastLines(node)).join('\n'),
  });
}

const SHOWN_LINES_PER_NODE = 8;

function lastLines(node: RedisNode): string {
  return node.logs().trimEnd().split('\n').slice(-SHOWN_LINES_PER_NODE).join('\n');
}

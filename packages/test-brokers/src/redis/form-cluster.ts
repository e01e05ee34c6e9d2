import { SLOTS } from './cluster-view.js';
import type { RedisLayout } from './redis-config.js';
import type { RedisNode } from './running-redis.js';

const MASTERS = 3;

/** Makes one cluster of new nodes: the first three are masters and share the slots, the others replicate them. */
export async function formCluster(
  nodes: readonly RedisNode[],
  layouts: readonly RedisLayout[],
): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) return;
  for (const [index, node] of nodes.entries()) {
    // Each its own, as those that meet with the same would first have to settle which is whose.
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index < MASTERS) await assignSlots(node, index);
  }
  for (const node of others) {
    const bus = layouts.find(({ port }) => port === node.address.port)?.busPort;
    await first.ask('CLUSTER', 'MEET', node.address.host, String(node.address.port), String(bus));
  }
}

async function assignSlots(node: RedisNode, index: number): Promise<void> {
  const from = Math.ceil((index * SLOTS) / MASTERS);
  const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
  await node.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
}

/** Makes every node after the masters the replica of one; rejects until all have heard of each other. */
export async function assignReplicas(nodes: readonly RedisNode[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    if (index < MASTERS) continue;
    const master = nodes[index % MASTERS];
    if (master !== undefined) await node.ask('CLUSTER', 'REPLICATE', await idOf(master));
  }
}

/** How a cluster calls a node. */
export async function idOf(node: RedisNode): Promise<string> {
  return String(await node.ask('CLUSTER', 'MYID'));
}

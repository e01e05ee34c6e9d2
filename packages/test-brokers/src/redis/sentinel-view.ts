import { infoOfNode } from './redis-node.js';
import type { RedisNode } from './running-redis.js';
import { MASTER_NAME } from './sentinel-config.js';

/** The node that a sentinel names as the master. */
export async function masterOf(
  nodes: readonly RedisNode[],
  sentinels: readonly RedisNode[],
): Promise<RedisNode> {
  const sentinel = sentinels.find(({ state }) => state === 'running');
  if (sentinel === undefined) throw new Error('no sentinel runs');
  const reply = await sentinel.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
  const port = Array.isArray(reply) ? Number(reply[1]) : undefined;
  const master = nodes.find(({ address }) => address.port === port);
  if (master === undefined) throw new Error(`a sentinel names a master that is none of these (${reply})`);
  return master;
}

/** Rejects until the nodes that run are one: the sentinels agree, and each knows all that it must. */
export async function probeSentinels(
  nodes: readonly RedisNode[],
  sentinels: readonly RedisNode[],
): Promise<void> {
  const watching = sentinels.filter(({ state }) => state === 'running');
  const master = await masterOf(nodes, watching);
  for (const sentinel of watching) await probeSentinel(sentinel, master, nodes.length, sentinels.length);
  const { role } = await infoOfNode(master, 'replication');
  if (role !== 'master') throw new Error(`${portOf(master)} is to be the master, but is a ${role}`);
  for (const node of nodes) {
    if (node !== master && node.state === 'running') await probeReplica(node, master);
  }
}

async function probeSentinel(
  sentinel: RedisNode,
  master: RedisNode,
  nodes: number,
  sentinels: number,
): Promise<void> {
  const fields = pairs(await sentinel.ask('SENTINEL', 'MASTER', MASTER_NAME));
  const expected: Record<string, string> = {
    port: String(portOf(master)),
    flags: 'master',
    'num-slaves': String(nodes - 1),
    'num-other-sentinels': String(sentinels - 1),
  };
  for (const [name, value] of Object.entries(expected)) {
    if (fields[name] !== value) {
      throw new Error(`sentinel ${sentinel.id} has ${name} ${fields[name]}, not yet ${value}`);
    }
  }
  await sentinel.ask('SENTINEL', 'CKQUORUM', MASTER_NAME);
}

async function probeReplica(node: RedisNode, master: RedisNode): Promise<void> {
  const info = await infoOfNode(node, 'replication');
  const follows = info.role === 'slave' && info.master_port === String(portOf(master));
  if (follows && info.master_link_status === 'up') return;
  throw new Error(`${portOf(node)} is not yet in step with its master ${portOf(master)}`);
}

function pairs(reply: unknown): Partial<Record<string, string>> {
  const words = Array.isArray(reply) ? reply.map(String) : [];
  const fields: Partial<Record<string, string>> = {};
  for (let at = 0; at + 1 < words.length; at += 2) fields[words[at] ?? ''] = words[at + 1] ?? '';
  return fields;
}

function portOf({ address }: RedisNode): number {
  return address.port;
}

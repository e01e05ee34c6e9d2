import { infoOfNode, parseInfo } from './redis-node.js';
import type { RedisNode } from './running-redis.js';

/** How many slots there are in every cluster. */
export const SLOTS = 16_384;

/** What a node of a cluster says of one of its nodes. */
export interface ClusterMember {
  readonly id: string;
  readonly port: number;
  readonly failed: boolean;
  /** The id of its master; undefined for a master. */
  readonly masterId: string | undefined;
  /** Ranges such as `0-5460`, or single slots. */
  readonly slots: readonly string[];
}

/** What a node says of all nodes, itself among them, in the order of their ids. */
export async function membersSeenBy(node: RedisNode): Promise<ClusterMember[]> {
  const lines = String(await node.ask('CLUSTER', 'NODES'))
    .trimEnd()
    .split('\n');
  return lines.map(parseMember).sort((one, other) => (one.id < other.id ? -1 : 1));
}

function parseMember(line: string): ClusterMember {
  const [id = '', address = '', flags = '', masterId = '-', , , , , ...slots] = line.split(' ');
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    failed: /fail|noaddr|handshake/.test(flags),
    masterId: masterId === '-' ? undefined : masterId,
    // In brackets are slots on the move, which are listed as the owner's beside that.
    slots: slots.filter((range) => !range.startsWith('[')),
  };
}

/** Whether a range holds the slot. */
export function holds(range: string, slot: number): boolean {
  const [first, last = first] = range.split('-').map(Number);
  return first !== undefined && last !== undefined && first <= slot && slot <= last;
}

/** Rejects until the nodes that run are one cluster that serves every slot. */
export async function probeCluster(nodes: readonly RedisNode[]): Promise<void> {
  const running = nodes.filter(({ state }) => state === 'running');
  let agreed: string | undefined;
  for (const node of running) {
    const state = parseInfo(await node.ask('CLUSTER', 'INFO')).cluster_state;
    if (state !== 'ok') throw new Error(`cluster_state of ${node.address.port} is ${state}`);
    const members = await membersSeenBy(node);
    requireMembers(node, members, running);
    // What became of nodes that do not run may be known to some earlier than to others.
    const seen = JSON.stringify(members.filter((member) => isOneOf(member, running)));
    agreed ??= seen;
    if (seen !== agreed) throw new Error(`${node.address.port} does not yet know what others know`);
    await requireInStep(node);
  }
}

function requireMembers(
  node: RedisNode,
  members: readonly ClusterMember[],
  running: readonly RedisNode[],
): void {
  const present = members.filter((member) => isOneOf(member, running) && !member.failed);
  if (present.length < running.length) {
    throw new Error(`${node.address.port} knows ${present.length} nodes of ${running.length} that run`);
  }
  const lost = members.find(
    ({ slots, port }) => slots.length > 0 && !present.some((one) => one.port === port),
  );
  if (lost !== undefined) throw new Error(`slots still belong to ${lost.port}, which does not run`);
}

async function requireInStep(node: RedisNode): Promise<void> {
  const info = await infoOfNode(node, 'replication');
  if (info.role === 'master' || info.master_link_status === 'up') return;
  throw new Error(`${node.address.port} is not yet in step with its master`);
}

function isOneOf({ port }: ClusterMember, nodes: readonly RedisNode[]): boolean {
  return nodes.some(({ address }) => address.port === port);
}

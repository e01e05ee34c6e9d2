import { type RedisLayout, type RedisSecrets, redisConfig } from './redis-config.js';
import type { RedisTopology, ResolvedRedisOptions } from './redis-options.js';
import { SENTINELS, sentinelConfig } from './sentinel-config.js';

/** A node that is to be started. */
export interface PlannedNode {
  readonly role: 'data' | 'sentinel';
  /** Named in errors and folders, such as `node-1`. */
  readonly label: string;
  readonly layout: RedisLayout;
  /** The content of its configuration file. */
  readonly config: string;
}

/** Where a provider puts nodes. */
export interface Place {
  /** The address that nodes bind. */
  readonly bind: string;
  /** The address that nodes and clients reach them at. */
  readonly host: string;
  /** Free ports, as many as `portsNeeded`. */
  readonly ports: readonly number[];
  /** The folder of a node. */
  readonly folderOf: (label: string) => string;
  /** Where the Unix socket is to be, when one was asked for. */
  readonly socketPath: string | undefined;
}

const DATA_NODES: Readonly<Record<RedisTopology, number>> = { single: 1, sentinel: 2, cluster: 6 };

/** How many ports the nodes take. */
export function portsNeeded({ topology, tls }: ResolvedRedisOptions): number {
  const perNode = topology === 'cluster' || tls !== false ? 2 : 1;
  return DATA_NODES[topology] * perNode + (topology === 'sentinel' ? SENTINELS : 0);
}

/** Decides addresses and configuration of every node. */
export function planNodes(options: ResolvedRedisOptions, place: Place, secrets: RedisSecrets): PlannedNode[] {
  const free = place.ports.values();
  const port = (): number => free.next().value ?? 0;
  const { bind, host, folderOf } = place;
  const layOut = (nodeId: number, label: string): RedisLayout => ({
    nodeId,
    bind,
    host,
    port: port(),
    folder: folderOf(label),
  });
  const data = numbered(DATA_NODES[options.topology], 'node').map(({ nodeId, label }) => ({
    label,
    layout: {
      ...layOut(nodeId, label),
      busPort: options.topology === 'cluster' ? port() : undefined,
      tlsPort: options.tls === false ? undefined : port(),
      socketPath: place.socketPath,
    },
  }));
  const master = data[0]?.layout;
  const sentinels =
    options.topology === 'sentinel' && master !== undefined
      ? numbered(SENTINELS, 'sentinel').map(({ nodeId, label }) => {
          const layout = layOut(nodeId, label);
          return { label, layout, config: sentinelConfig(options, layout, secrets, master) };
        })
      : [];
  return [
    ...data.map(({ label, layout }): PlannedNode => {
      const replicaOf = options.topology === 'sentinel' && layout !== master ? master : undefined;
      return { role: 'data', label, layout, config: redisConfig(options, layout, secrets, replicaOf) };
    }),
    ...sentinels.map((sentinel): PlannedNode => ({ role: 'sentinel', ...sentinel })),
  ];
}

function numbered(count: number, name: string): { nodeId: number; label: string }[] {
  return Array.from({ length: count }, (_, index) => ({ nodeId: index + 1, label: `${name}-${index + 1}` }));
}

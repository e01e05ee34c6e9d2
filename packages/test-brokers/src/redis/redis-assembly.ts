import type { BrokerTlsFiles, TlsMaterial } from '../tls-files.js';
import type { RedisUser } from './ask.js';
import type { PlannedNode } from './plan.js';
import type { RedisLayout, RedisSecrets } from './redis-config.js';
import type { RedisNode } from './running-redis.js';

/** What a provider that runs Redis itself hands over: nodes that each serve, and how to be rid of everything. */
export interface RedisAssembly {
  /** Those that hold data. */
  readonly nodes: readonly RedisNode[];
  /** Empty without Sentinel. */
  readonly sentinels: readonly RedisNode[];
  /** Of the nodes that hold data. */
  readonly layouts: readonly RedisLayout[];
  readonly admin: RedisUser | undefined;
  readonly tls: TlsMaterial | undefined;
  /** The TLS files as the nodes see them. */
  readonly brokerTls: BrokerTlsFiles | undefined;
  /** Ends what still runs, frees the ports and removes the files. */
  release(): Promise<void>;
}

/** Sorts nodes, which are in the order of the plan, by what they are for. */
export function assemble(parts: {
  readonly plan: readonly PlannedNode[];
  readonly nodes: readonly RedisNode[];
  readonly secrets: RedisSecrets;
  readonly tls: TlsMaterial | undefined;
  readonly release: () => Promise<void>;
}): RedisAssembly {
  const { plan, nodes, secrets, tls, release } = parts;
  const ofRole = (role: PlannedNode['role']): RedisNode[] =>
    nodes.filter((_, index) => plan[index]?.role === role);
  return {
    nodes: ofRole('data'),
    sentinels: ofRole('sentinel'),
    layouts: plan.filter(({ role }) => role === 'data').map(({ layout }) => layout),
    admin: secrets.admin,
    tls,
    brokerTls: secrets.tls,
    release,
  };
}

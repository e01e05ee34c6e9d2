import { awaitReady } from '../readiness.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import type { NodeLayout } from './server-properties.js';
import { fetchNodes } from './wire.js';

/** Where a node is reached. */
export type NodeAddresses = Pick<NodeLayout, 'clients' | 'internal' | 'direct'>;

const PROBE_TIMEOUT_MS = 2_000;

/** Where a node is reached past all proxies. */
export function directAddress({ direct, internal }: NodeAddresses): string {
  return (direct ?? internal).advertised;
}

/** Rejects until a node serves and the quorum has admitted it. */
export async function probeNode(address: string, nodeId: number): Promise<void> {
  const nodes = await fetchNodes(address, PROBE_TIMEOUT_MS);
  if (!nodes.some(({ id }) => id === nodeId)) throw new Error('the quorum has not admitted it yet');
}

/**
 * Resolves when every node knows every other. Each serves before that, but a client that asked then would
 * be told of a smaller cluster.
 */
export async function awaitMembership(
  layouts: readonly NodeAddresses[],
  options: ResolvedKafkaOptions,
): Promise<void> {
  await awaitReady({
    probe: async () => {
      for (const address of layouts.map(directAddress)) {
        const known = (await fetchNodes(address, PROBE_TIMEOUT_MS)).length;
        if (known < layouts.length) throw new Error(`${address} knows ${known} nodes of ${layouts.length}`);
      }
    },
    exited: new Promise(() => {}),
    timeoutMs: options.startTimeoutMs,
    what: `Kafka ${options.version}`,
    lastLogLines: () => '(see the logs of each node)',
  });
}

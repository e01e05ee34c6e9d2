import type { Commands } from './client.js';
import type { Topology } from './topology.js';

/** What the members of a group wrote down, of every partition where they did. */
export async function readJournals(
  commands: Commands,
  topology: Topology,
  group: string,
): Promise<ReadonlyMap<number, string>> {
  const journals = new Map<number, string>();
  await Promise.all(
    topology.together(topology.all).map(async (partitions) => {
      const texts = await commands.mget(
        partitions.map((partition) => topology.keys.journal(partition, group)),
      );
      partitions.forEach((partition, index) => {
        const text = texts[index];
        if (text) journals.set(partition, text);
      });
    }),
  );
  return journals;
}

import { partitionOf } from '@omnibus/core/transport';

/** Who is to consume a partition. */
export interface Place {
  readonly owner: string;
  /** Waits behind the owner, and goes on at once when that dies. */
  readonly standby: string | undefined;
}

const WEIGHTS = 0x7fffffff;

/**
 * Shares out the partitions: each to the member with the highest weight for it that has not got its share yet. Every
 * member computes the same from the same list, and a change of the list moves little. Pure.
 */
export function placementOf(partitions: number, members: readonly string[]): Place[] {
  const share = Math.floor(partitions / members.length);
  let oneMore = partitions % members.length;
  const load = new Map<string, number>(members.map((member) => [member, 0]));
  const owners = new Map<number, string>();
  const pairs = pairsByWeight(partitions, members);
  for (const { partition, member } of pairs) {
    const has = load.get(member) ?? 0;
    if (owners.has(partition) || has > share || (has === share && oneMore === 0)) continue;
    if (has === share) oneMore -= 1;
    owners.set(partition, member);
    load.set(member, has + 1);
  }
  return Array.from({ length: partitions }, (_, partition) => {
    const owner = owners.get(partition) ?? '';
    const standby = pairs.find((pair) => pair.partition === partition && pair.member !== owner)?.member;
    return { owner, standby };
  });
}

interface Pair {
  readonly partition: number;
  readonly member: string;
  readonly weight: number;
}

function pairsByWeight(partitions: number, members: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  for (let partition = 0; partition < partitions; partition += 1)
    for (const member of members)
      pairs.push({ partition, member, weight: partitionOf(`${member}/${partition}`, WEIGHTS) });
  return pairs.sort(
    (a, b) => b.weight - a.weight || a.partition - b.partition || (a.member < b.member ? -1 : 1),
  );
}

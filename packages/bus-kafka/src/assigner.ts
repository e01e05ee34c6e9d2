/*
 * Who consumes which partition: sticky and cooperative. A rebalance moves only what it must for an even share, and what
 * moves is given up by its owner before another one gets it. Everybody keeps working on all the rest meanwhile.
 */

/** What a member says when it joins. */
export interface MemberClaim {
  readonly memberId: string;
  /** Partitions that it owns at this moment. */
  readonly owned: readonly number[];
  /** The generation in which it got them. The newest claim wins should two members make the same. */
  readonly generation: number;
}

/** What the leader tells each member. */
export interface Assignment {
  readonly partitions: readonly number[];
  /** Partitions are still with members that have to give them up: another rebalance follows as soon as they did. */
  readonly incomplete: boolean;
}

/** The assignment of every member. Pure: the same members give the same result. */
export function assignPartitions(
  members: readonly MemberClaim[],
  partitions: number,
): Map<string, Assignment> {
  const sorted = [...members].sort((a, b) => compareText(a.memberId, b.memberId));
  const owners = ownersOf(sorted, partitions);
  const targets = evenShares(sorted, owners, partitions);
  let incomplete = false;
  const result = new Map<string, number[]>(sorted.map(({ memberId }) => [memberId, []] as const));
  for (let partition = 0; partition < partitions; partition += 1) {
    const target = targets.get(partition);
    const owner = owners.get(partition);
    if (target === undefined) continue;
    // Its owner sees that it is missing, gives it up and joins again; then it is free.
    if (owner !== undefined && owner !== target) incomplete = true;
    else result.get(target)?.push(partition);
  }
  return new Map(
    [...result].map(([memberId, list]) => [memberId, { partitions: list, incomplete }] as const),
  );
}

function ownersOf(members: readonly MemberClaim[], partitions: number): Map<number, string> {
  const owners = new Map<number, string>();
  const newest = [...members].sort((a, b) => b.generation - a.generation);
  for (const { memberId, owned } of newest) {
    for (const partition of owned)
      if (partition < partitions && !owners.has(partition)) owners.set(partition, memberId);
  }
  return owners;
}

/** Everybody has floor(P / n) partitions or one more. Members keep what they own up to their share. */
function evenShares(
  members: readonly MemberClaim[],
  owners: ReadonlyMap<number, string>,
  partitions: number,
): Map<number, string> {
  const kept = new Map<string, number[]>(members.map(({ memberId }) => [memberId, []] as const));
  for (const [partition, owner] of [...owners].sort(([a], [b]) => a - b)) kept.get(owner)?.push(partition);
  const least = Math.floor(partitions / members.length);
  let withOneMore = partitions % members.length;
  const targets = new Map<number, string>();
  const room: { readonly memberId: string; count: number }[] = [];
  // Those who own most come first, so that the larger shares stay where the partitions are.
  const byOwned = [...kept].sort(([a, x], [b, y]) => y.length - x.length || compareText(a, b));
  for (const [memberId, owned] of byOwned) {
    const share = withOneMore > 0 ? least + 1 : least;
    if (share > least) withOneMore -= 1;
    for (const partition of owned.slice(0, share)) targets.set(partition, memberId);
    room.push({ memberId, count: share - Math.min(owned.length, share) });
  }
  let next = 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    if (targets.has(partition)) continue;
    while ((room[next]?.count ?? 1) === 0) next += 1;
    const taker = room[next];
    if (!taker) break;
    taker.count -= 1;
    targets.set(partition, taker.memberId);
  }
  return targets;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

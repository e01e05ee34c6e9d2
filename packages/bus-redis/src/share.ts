/** A group as one heartbeat found it. */
export interface GroupView {
  readonly members: readonly string[];
  /** Who owns each partition; an empty text where nobody does. */
  readonly holders: ReadonlyMap<number, string>;
}

/** What a member does about its share. */
export interface Share {
  /** Free partitions to take. */
  readonly take: readonly number[];
  /** Own partitions to give up, because others have too few and none is free for them. */
  readonly give: readonly number[];
  /** How many partitions are still missing when `take` is taken. */
  readonly missing: number;
}

/**
 * The share of a member: everybody has as many partitions as everybody else, or one more. Those who own most keep the one
 * more, so that as little as possible moves. Every member reckons alike from the same view; where views differ for a
 * moment, a lease still has one owner. Pure.
 */
export function shareOf({ members, holders }: GroupView, me: string): Share {
  const owned = (member: string): number[] =>
    [...holders].filter(([, holder]) => holder === member).map(([partition]) => partition);
  const ranked = [...members].sort((a, b) => owned(b).length - owned(a).length || (a < b ? -1 : 1));
  const share = Math.floor(holders.size / ranked.length);
  const quotaOf = (rank: number): number => share + (rank < holders.size % ranked.length ? 1 : 0);
  const rank = ranked.indexOf(me);
  if (rank < 0) return { take: [], give: [], missing: 0 };
  const free = owned('');
  const mine = owned(me);
  const lacking = quotaOf(rank) - mine.length;
  if (lacking >= 0) {
    // Members begin at different places, so that they seldom try the same ones.
    const start = Math.floor((rank * free.length) / ranked.length);
    const take = [...free.slice(start), ...free.slice(0, start)].slice(0, lacking);
    return { take, give: [], missing: lacking - take.length };
  }
  const wanted = ranked.reduce(
    (sum, member, index) => sum + Math.max(0, quotaOf(index) - owned(member).length),
    0,
  );
  const surplus = Math.min(-lacking, Math.max(0, wanted - free.length));
  return { take: [], give: mine.slice(mine.length - surplus), missing: 0 };
}

import { type Assignment, assignPartitions, type MemberClaim } from '../src/assigner.js';

/** Members with what they own, rebalanced until nothing moves any more. Counts what each round took away. */
function settle(
  members: readonly MemberClaim[],
  partitions: number,
): { readonly owned: Map<string, readonly number[]>; readonly moved: number; readonly rounds: number } {
  let current = members;
  let moved = 0;
  for (let round = 1; round < 10; round += 1) {
    const result = assignPartitions(current, partitions);
    expectNobodyGetsWhatAnotherOwns(current, result);
    const next = current.map((member) => {
      const assigned = result.get(member.memberId)?.partitions ?? [];
      moved += member.owned.filter((partition) => !assigned.includes(partition)).length;
      return { ...member, owned: assigned, generation: round };
    });
    const incomplete = [...result.values()].some((assignment) => assignment.incomplete);
    if (!incomplete)
      return {
        owned: new Map(next.map(({ memberId, owned }) => [memberId, owned] as const)),
        moved,
        rounds: round,
      };
    current = next;
  }
  throw new Error('Never settled');
}

function expectNobodyGetsWhatAnotherOwns(
  members: readonly MemberClaim[],
  result: ReadonlyMap<string, Assignment>,
): void {
  for (const { memberId, owned } of members) {
    for (const [other, { partitions }] of result)
      if (other !== memberId) expect(partitions.filter((partition) => owned.includes(partition))).toEqual([]);
  }
}

function member(memberId: string, owned: readonly number[] = [], generation = 1): MemberClaim {
  return { memberId, owned, generation };
}

/** A small generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describe('sharing out partitions', () => {
  test('a new group is shared out evenly in one round', () => {
    const { owned, rounds } = settle([member('a'), member('b'), member('c')], 8);
    expect([...owned.values()].map(({ length }) => length).sort()).toEqual([2, 3, 3]);
    expect([...owned.values()].flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(rounds).toBe(1);
  });

  test('a join moves only what makes the shares even, and only after it was given up', () => {
    const first = assignPartitions([member('a', [0, 1, 2, 3, 4, 5, 6, 7]), member('b')], 8);
    expect(first.get('a')).toEqual({ partitions: [0, 1, 2, 3], incomplete: true });
    expect(first.get('b')).toEqual({ partitions: [], incomplete: true });
    const second = assignPartitions([member('a', [0, 1, 2, 3], 2), member('b', [], 2)], 8);
    expect(second.get('a')).toEqual({ partitions: [0, 1, 2, 3], incomplete: false });
    expect(second.get('b')).toEqual({ partitions: [4, 5, 6, 7], incomplete: false });
  });

  test('a leave moves nothing but the partitions of the one who left', () => {
    const { owned, moved } = settle([member('a', [0, 1, 2]), member('b', [3, 4, 5])], 8);
    expect(moved).toBe(0);
    expect(owned.get('a')).toEqual(expect.arrayContaining([0, 1, 2]));
    expect(owned.get('b')).toEqual(expect.arrayContaining([3, 4, 5]));
  });

  test('an even share stays exactly as it is', () => {
    const shares = [member('a', [1, 5, 7]), member('b', [0, 2, 6]), member('c', [3, 4])];
    const { owned, moved, rounds } = settle(shares, 8);
    expect({ moved, rounds }).toEqual({ moved: 0, rounds: 1 });
    expect(Object.fromEntries(owned)).toEqual({ a: [1, 5, 7], b: [0, 2, 6], c: [3, 4] });
  });

  test('of two members with the same claim the newer generation is believed', () => {
    const result = assignPartitions([member('a', [0, 1], 3), member('b', [0, 1], 7)], 2);
    expect(result.get('a')?.partitions).toEqual([]);
    expect(result.get('b')?.partitions).toEqual([0]);
  });

  test('more members than partitions: the surplus waits with nothing', () => {
    const { owned } = settle([member('a'), member('b'), member('c')], 2);
    expect([...owned.values()].map(({ length }) => length).sort()).toEqual([0, 1, 1]);
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'any join and leave (seed %i) settles evenly, with as few moves as can be',
    (seed) => {
      const next = random(seed + 1);
      const partitions = 1 + Math.floor(next() * 24);
      let members: MemberClaim[] = [member('m0')];
      for (let step = 1; step < 12; step += 1) {
        const leaving = members.length > 1 && next() < 0.4 ? Math.floor(next() * members.length) : -1;
        members = leaving >= 0 ? members.filter((_, i) => i !== leaving) : [...members, member(`m${step}`)];
        const before = new Map(members.map(({ memberId, owned }) => [memberId, owned.length] as const));
        const { owned, moved } = settle(members, partitions);
        const sizes = [...owned.values()].map(({ length }) => length);
        expect([...owned.values()].flat().sort((a, b) => a - b)).toEqual(
          Array.from({ length: partitions }, (_, i) => i),
        );
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const surplus = [...before].reduce(
          (sum, [memberId, count]) => sum + Math.max(0, count - (owned.get(memberId)?.length ?? 0)),
          0,
        );
        expect(moved).toBe(surplus);
        members = [...owned].map(([memberId, list]) => member(memberId, list, step));
      }
    },
  );
});

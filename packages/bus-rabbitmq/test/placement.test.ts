import { placementOf } from '../src/placement.js';

const members = (count: number): string[] => Array.from({ length: count }, (_, n) => `member-${n}`);
const ownersOf = (partitions: number, names: readonly string[]): string[] =>
  placementOf(partitions, names).map(({ owner }) => owner);

describe('placementOf', () => {
  test('shares differ by one at most, whatever the numbers', () => {
    for (const partitions of [1, 6, 8, 64])
      for (let count = 1; count <= 9; count += 1) {
        const load = new Map(members(count).map((member) => [member, 0]));
        for (const owner of ownersOf(partitions, members(count))) load.set(owner, (load.get(owner) ?? 0) + 1);
        const shares = [...load.values()];
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }
  });

  test('a join takes about its share from the others and moves little else', () => {
    const before = ownersOf(64, members(3));
    const after = ownersOf(64, members(4));
    const moved = before.filter((owner, partition) => owner !== after[partition]).length;
    expect(moved).toBeGreaterThanOrEqual(16);
    expect(moved).toBeLessThanOrEqual(28);
  });

  test('the standby is another member, and there is none for somebody alone', () => {
    expect(
      placementOf(8, members(3)).every(({ owner, standby }) => standby !== undefined && standby !== owner),
    ).toBe(true);
    expect(placementOf(8, members(1)).every(({ standby }) => standby === undefined)).toBe(true);
  });
});

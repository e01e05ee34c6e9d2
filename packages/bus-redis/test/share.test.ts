import { shareOf } from '../src/share.js';

function view(holders: readonly string[], members: readonly string[]): Parameters<typeof shareOf>[0] {
  return { members, holders: new Map(holders.map((holder, partition) => [partition, holder] as const)) };
}

describe('the share of a member', () => {
  test('everything, when it is alone', () => {
    expect(shareOf(view(['', '', ''], ['a']), 'a')).toEqual({ take: [0, 1, 2], give: [], missing: 0 });
  });

  test('members that come together take different partitions', () => {
    const group = view(['', '', '', ''], ['a', 'b']);
    expect(shareOf(group, 'a').take).toEqual([0, 1]);
    expect(shareOf(group, 'b').take).toEqual([2, 3]);
  });

  test('a newcomer waits for what the others give up, and they give no more than that', () => {
    const group = view(['a', 'a', 'a', 'a', 'a'], ['a', 'b']);
    expect(shareOf(group, 'a').give).toEqual([3, 4]);
    expect(shareOf(group, 'b')).toEqual({ take: [], give: [], missing: 2 });
  });

  test('who owns one more than the others keeps it: nothing moves in a group that is even', () => {
    const group = view(['b', 'b', 'a'], ['a', 'b']);
    for (const member of ['a', 'b'])
      expect(shareOf(group, member)).toEqual({ take: [], give: [], missing: 0 });
  });

  test('nothing is given up while what is free is enough', () => {
    const group = view(['a', 'a', 'a', '', ''], ['a', 'b']);
    expect(shareOf(group, 'a').give).toEqual([]);
    expect([...shareOf(group, 'b').take].sort()).toEqual([3, 4]);
  });

  test('more members than partitions: the others stand by', () => {
    const group = view(['a'], ['a', 'b']);
    expect(shareOf(group, 'b')).toEqual({ take: [], give: [], missing: 0 });
  });

  test('partitions of a member that is gone are nobody’s until its lease ends', () => {
    const group = view(['dead', 'a'], ['a']);
    expect(shareOf(group, 'a')).toEqual({ take: [], give: [], missing: 1 });
  });
});

import { GroupCommit, type GroupCommitParts } from '../src/group-commit.js';

interface Fake {
  readonly name: string;
  isLost: boolean;
}

const partition = (name: string): Fake => ({ name, isLost: false });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(changes: Partial<GroupCommitParts<Fake>> = {}): {
  rhythm: GroupCommit<Fake>;
  stores: string[][];
  answer(isStored: boolean): Promise<void>;
} {
  const stores: string[][] = [];
  let resolve: (isStored: boolean) => void = () => undefined;
  const rhythm = new GroupCommit<Fake>({
    intervalMs: 60_000,
    maxSettlements: 100,
    isReady: () => true,
    store: (partitions) => {
      stores.push(partitions.map(({ name }) => name));
      return new Promise((done) => {
        resolve = done;
      });
    },
    ...changes,
  });
  const answer = async (isStored: boolean): Promise<void> => {
    resolve(isStored);
    await turn();
    await turn();
  };
  return { rhythm, stores, answer };
}

test('stores what changed in one turn together, and what changes meanwhile with the next', async () => {
  const { rhythm, stores, answer } = setUp();
  const [a, b] = [partition('a'), partition('b')];
  rhythm.changed(a, false, 1);
  rhythm.changed(b, true, 1);
  await turn();
  expect(stores).toEqual([['a', 'b']]);
  rhythm.changed(a, true, 1);
  rhythm.changed(a, true, 1);
  await turn();
  expect(stores).toHaveLength(1);
  await answer(true);
  expect(stores).toEqual([['a', 'b'], ['a']]);
  await answer(true);
  expect(stores).toHaveLength(2);
});

test('lets what nobody waits for wait, until it is much', async () => {
  const { rhythm, stores } = setUp({ maxSettlements: 10 });
  const a = partition('a');
  for (let n = 0; n < 9; n += 1) rhythm.changed(a, false, 1);
  await turn();
  expect(stores).toEqual([]);
  rhythm.changed(a, false, 1);
  await turn();
  expect(stores).toEqual([['a']]);
  rhythm.close();
});

test('stores again what failed, and nothing of a partition that is lost', async () => {
  const failing: string[][] = [];
  const done = new Promise<void>((resolve) => {
    const [a, b] = [partition('a'), partition('b')];
    const rhythm = new GroupCommit<Fake>({
      intervalMs: 1,
      maxSettlements: 1,
      isReady: () => true,
      store: (partitions) => {
        failing.push(partitions.map(({ name }) => name));
        if (failing.length === 2) resolve();
        for (const each of failing.length === 1 ? partitions : []) rhythm.again(each);
        b.isLost = true;
        return Promise.resolve(failing.length > 1);
      },
    });
    rhythm.changed(a, false, 1);
    rhythm.changed(b, false, 1);
  });
  await done;
  expect(failing).toEqual([['a', 'b'], ['a']]);
});

test('waits until something can be stored', async () => {
  let isReady = false;
  const { rhythm, stores, answer } = setUp({ isReady: () => isReady });
  rhythm.changed(partition('a'), true, 1);
  await turn();
  expect(stores).toEqual([]);
  isReady = true;
  rhythm.wake();
  await turn();
  expect(stores).toEqual([['a']]);
  await answer(true);
});

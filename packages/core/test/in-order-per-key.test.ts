import { inOrderPerKey } from '../src/in-order-per-key.js';

interface Item {
  readonly key: string | undefined;
  readonly n: number;
}

/** Work that ends when it is told to. */
class Gate {
  readonly started: Item[] = [];
  readonly #running = new Map<Item, { resolve: () => void; reject: (error: unknown) => void }>();
  mostAtOnce = 0;

  readonly work = (item: Item): Promise<void> =>
    new Promise((resolve, reject) => {
      this.started.push(item);
      this.#running.set(item, { resolve, reject });
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#running.size);
    });

  get running(): readonly Item[] {
    return [...this.#running.keys()];
  }

  async end(item: Item | undefined, error?: Error): Promise<void> {
    if (!item) throw new Error('nothing is running');
    const { resolve, reject } = this.#running.get(item) ?? {};
    this.#running.delete(item);
    if (error) reject?.(error);
    else resolve?.();
    await new Promise((next) => setImmediate(next));
  }
}

const keyOf = ({ key }: Item): string | undefined => key;
const items = (...keys: (string | undefined)[]): Item[] => keys.map((key, n) => ({ key, n }));

describe('inOrderPerKey', () => {
  it('runs one key in order and different keys at once', async () => {
    const gate = new Gate();
    const [a0, b1, a2] = items('a', 'b', 'a') as [Item, Item, Item];
    const done = inOrderPerKey([a0, b1, a2], keyOf, gate.work, 8);
    expect(gate.running).toEqual([a0, b1]);
    await gate.end(b1);
    expect(gate.running).toEqual([a0]);
    await gate.end(a0);
    expect(gate.running).toEqual([a2]);
    await gate.end(a2);
    await done;
  });

  it('takes what has no key for one key', async () => {
    const gate = new Gate();
    const [first, second] = items(undefined, undefined) as [Item, Item];
    const done = inOrderPerKey([first, second], keyOf, gate.work, 8);
    expect(gate.running).toEqual([first]);
    await gate.end(first);
    await gate.end(second);
    await done;
  });

  it('never runs more at once than it may', async () => {
    const gate = new Gate();
    const all = items('a', 'b', 'c', 'd', 'e');
    const done = inOrderPerKey(all, keyOf, gate.work, 2);
    while (gate.started.length < all.length) await gate.end(gate.running[0]);
    while (gate.running.length > 0) await gate.end(gate.running[0]);
    await done;
    expect(gate.mostAtOnce).toBe(2);
    expect(gate.started).toEqual(all);
  });

  it('starts nothing after a failure, and rejects when what was running has ended', async () => {
    const gate = new Gate();
    const [a0, b1, a2, c3] = items('a', 'b', 'a', 'c') as [Item, Item, Item, Item];
    let rejected: unknown;
    const done = inOrderPerKey([a0, b1, a2, c3], keyOf, gate.work, 2).catch((error: unknown) => {
      rejected = error;
    });
    const boom = new Error('boom');
    await gate.end(a0, boom);
    expect(rejected).toBeUndefined();
    expect(gate.running).toEqual([b1]);
    await gate.end(b1);
    await done;
    expect(rejected).toBe(boom);
    expect(gate.started).toEqual([a0, b1]);
  });

  it('does nothing with nothing', async () => {
    await expect(
      inOrderPerKey([], keyOf, () => Promise.reject(new Error('called')), 4),
    ).resolves.toBeUndefined();
  });

  it('rejects also when the work throws at once', async () => {
    const work = (): Promise<void> => {
      throw new Error('at once');
    };
    await expect(inOrderPerKey(items('a', 'b'), keyOf, work, 4)).rejects.toThrow('at once');
  });
});

import { Acks } from '../src/acks.js';

/** A broker's view of one channel: refuses what was never delivered or was acknowledged before. */
class Broker {
  readonly open: Set<number>;

  constructor(delivered: number) {
    this.open = new Set(Array.from({ length: delivered }, (_, n) => n + 1));
  }

  take(acks: ReturnType<Acks['settle']>): void {
    for (const { deliveryTag, upTo } of acks) {
      if (!this.open.has(deliveryTag)) throw new Error(`unknown delivery tag ${deliveryTag}`);
      for (const tag of this.open)
        if (tag === deliveryTag || (upTo && tag < deliveryTag)) this.open.delete(tag);
    }
  }
}

describe('Acks', () => {
  test('what is settled without a gap takes one acknowledgement', () => {
    const acks = new Acks();
    acks.deliveredUpTo(5);
    expect(acks.settle([1, 2, 3])).toEqual([{ deliveryTag: 3, upTo: true }]);
    expect(acks.open).toBe(2);
  });

  test('behind a gap each is acknowledged by itself, and never twice', () => {
    const acks = new Acks();
    acks.deliveredUpTo(5);
    expect(acks.settle([3, 5])).toEqual([
      { deliveryTag: 3, upTo: false },
      { deliveryTag: 5, upTo: false },
    ]);
    expect(acks.settle([1, 2])).toEqual([{ deliveryTag: 2, upTo: true }]);
    expect(acks.settle([4])).toEqual([{ deliveryTag: 4, upTo: true }]);
    expect(acks.open).toBe(0);
  });

  test('in whatever order things are settled, the broker knows every tag and is left with none', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomFrom(seed);
      const count = 1 + Math.floor(random() * 40);
      const broker = new Broker(count);
      const acks = new Acks();
      acks.deliveredUpTo(count);
      const left = [...broker.open].sort(() => random() - 0.5);
      while (left.length > 0) broker.take(acks.settle(left.splice(0, 1 + Math.floor(random() * 5))));
      expect([broker.open.size, acks.open]).toEqual([0, 0]);
    }
  });
});

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

import fc from 'fast-check';

import type { TroubleKind } from './wire.js';

/** How a broker remembers what is settled: one position as Kafka, or each record as Redis and RabbitMQ. */
export type CommitStyle = 'position' | 'each';

/** What a handler does in one of its calls for an event; after the last it succeeds. */
export interface Step {
  readonly does: 'succeed' | 'throw' | 'throw-final' | 'hang' | 'kill';
  /** 0: before it returns. */
  readonly afterMs: number;
}

/** An event to be published. */
export interface Published {
  readonly key: string;
  /** Calls of the first handler, and of the second. */
  readonly steps: readonly (readonly Step[])[];
}

/** Something that happens at a time. */
export type Action = { readonly atMs: number } & (
  | { readonly kind: 'publish'; readonly events: readonly Published[] }
  | { readonly kind: 'append-garbage'; readonly key: string }
  | {
      readonly kind: 'crash' | 'restart' | 'stop-consuming' | 'pause';
      readonly who: number;
      readonly forMs: number;
    }
  | { readonly kind: 'freeze' | 'cut'; readonly who: number; readonly forMs: number }
  | { readonly kind: 'move' | 'move-not' | 'seize'; readonly slot: number; readonly afterMs: number }
  | {
      readonly kind: 'trouble';
      readonly who: number;
      readonly forMs: number;
      readonly with: TroubleKind;
      readonly oneIn: number;
    }
);

/** One history of the world, complete: the same scenario goes the same way. */
export interface Scenario {
  readonly seed: number;
  readonly partitions: number;
  /** The group of each consumer. */
  readonly consumers: readonly string[];
  readonly handlers: number;
  readonly maxRetries: number;
  readonly concurrency: number;
  readonly moreInFlight: number;
  readonly commits: CommitStyle;
  readonly latencyMs: number;
  readonly fetchSize: number;
  readonly sessionMs: number;
  readonly actions: readonly Action[];
}

const key = fc.constantFrom('a', 'b', 'c', 'd');
const forMs = fc.integer({ min: 0, max: 120 });
const who = fc.nat({ max: 3 });

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.oneof(
    { arbitrary: fc.constant('succeed' as const), weight: 3 },
    { arbitrary: fc.constant('throw' as const), weight: 6 },
    { arbitrary: fc.constantFrom('throw-final' as const, 'hang' as const, 'kill' as const), weight: 2 },
  ),
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })),
});

const published: fc.Arbitrary<Published> = fc.record({
  key,
  steps: fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 2 }),
});

const what: fc.Arbitrary<Action> = fc.oneof(
  {
    arbitrary: fc.record({
      atMs: fc.nat({ max: 200 }),
      kind: fc.constant('publish' as const),
      events: fc.array(published, { minLength: 1, maxLength: 4 }),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({ atMs: fc.nat({ max: 200 }), kind: fc.constant('append-garbage' as const), key }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      atMs: fc.nat({ max: 300 }),
      kind: fc.constantFrom('crash', 'restart', 'stop-consuming', 'pause', 'freeze', 'cut'),
      who,
      forMs,
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record({
      atMs: fc.nat({ max: 300 }),
      kind: fc.constantFrom('move', 'move-not', 'seize'),
      slot: fc.nat({ max: 5 }),
      afterMs: fc.integer({ min: 0, max: 60 }),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      atMs: fc.nat({ max: 200 }),
      kind: fc.constant('trouble' as const),
      who,
      forMs,
      with: fc.constantFrom('request-lost', 'answer-lost', 'refused', 'slow'),
      oneIn: fc.integer({ min: 1, max: 3 }),
    }),
    weight: 2,
  },
);

/** Small worlds in which much goes wrong. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  partitions: fc.integer({ min: 1, max: 3 }),
  consumers: fc.array(fc.constantFrom('g', 'g', 'h'), { minLength: 1, maxLength: 3 }),
  handlers: fc.integer({ min: 1, max: 2 }),
  maxRetries: fc.integer({ min: 0, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 4 }),
  moreInFlight: fc.nat({ max: 4 }),
  commits: fc.constantFrom('position', 'each'),
  latencyMs: fc.nat({ max: 12 }),
  fetchSize: fc.integer({ min: 1, max: 5 }),
  sessionMs: fc.nat({ max: 60 }),
  actions: fc.array(what, { minLength: 1, maxLength: 8 }),
});

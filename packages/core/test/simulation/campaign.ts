import fc from 'fast-check';

import { type Scenario, scenarios } from './scenario.js';
import { simulate } from './simulate.js';

/** Of one seed, so that the seed that fails is repeated in seconds. */
const RUNS_A_SEED = 1_000;
const STORY_LINES = 200;

/** Everything that a campaign must have seen at least once: a guarantee that was never in danger was not tested. */
export const MUST_HAPPEN: readonly string[] = [
  'attempt',
  'retry',
  'attempt interrupted',
  'death',
  'kill by a handler',
  'partition taken away',
  'hand-over',
  'hand-over timed out',
  'publish confirmed',
  'publish refused',
  'handler timed out',
  'given up: crash',
  'given up: deserialization_error',
  'given up: max_retries_exceeded',
  'given up: non_retryable',
];

/** What many scenarios came to. */
export interface Campaign {
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** The smallest scenario that broke a guarantee, with its story and how to repeat it. */
  readonly finding: string | undefined;
}

/** Plays `runs` scenarios, from `seed` on. Ends at the first that breaks a guarantee. */
export async function playMany(seed: number, runs: number): Promise<Campaign> {
  const counts = new Map<string, number>();
  // Thousands of errors are made on purpose; their stacks would take most of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    let finding: string | undefined;
    for (let done = 0; done < runs && finding === undefined; done += RUNS_A_SEED)
      finding = await playSeed(seed + done / RUNS_A_SEED, Math.min(RUNS_A_SEED, runs - done), counts);
    return { counts, finding };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function playSeed(
  seed: number,
  runs: number,
  counts: Map<string, number>,
): Promise<string | undefined> {
  const property = fc.asyncProperty(scenarios, async (scenario) => {
    const verdict = await simulate(scenario);
    for (const [what, count] of verdict.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    return verdict.violations.length === 0;
  });
  const details = await fc.check(property, { seed, numRuns: runs });
  if (!details.failed) return undefined;
  const [scenario] = details.counterexample as [Scenario];
  const { violations, story } = await simulate(scenario, true);
  return [
    `A guarantee was broken: ${violations[0] ?? String(details.errorInstance)}`,
    `Found in run ${details.numRuns} of seed ${seed}, made smaller ${details.numShrinks} times.`,
    `Repeat it: npm run test:long -- simulation --seed ${seed} --runs ${details.numRuns}`,
    JSON.stringify(scenario),
    ...story.slice(-STORY_LINES),
  ].join('\n');
}

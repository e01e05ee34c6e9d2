import { inspect as show } from 'node:util';

import type { InboundRecord } from '../../src/transport.js';
import { Random } from '../random.js';
import { hostileRecord } from './hostile-record.js';
import { inspect } from './inspect.js';

const BATCH = 1_000;
/** Processor time: that of the machine's other work does not count. A thousand records take a tenth of a second. */
const HANG_MS = 20_000;

/** What many hostile records came to. */
export interface FuzzReport {
  /** Records that were events all the same. */
  readonly events: number;
  readonly refused: number;
  /** The first record that did harm, and how to repeat it. */
  readonly finding: string | undefined;
}

/** Takes `count` records through the codec and everything that reads headers. Record n is made of `seed + n` alone. */
export function fuzz(seed: number, count: number): FuzzReport {
  const prototypes = ownKeys();
  // Most records make errors; their stacks would take half of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return fuzzAll(seed, count, prototypes);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function fuzzAll(seed: number, count: number, prototypes: string): FuzzReport {
  const outcomes = { event: 0, refused: 0 };
  const report = (finding: string | undefined): FuzzReport => ({
    events: outcomes.event,
    refused: outcomes.refused,
    finding,
  });
  for (let from = 0; from < count; from += BATCH) {
    const before = process.cpuUsage();
    for (let n = from; n < Math.min(count, from + BATCH); n += 1) {
      const record = hostileRecord(new Random(seed + n));
      try {
        outcomes[inspect(record)] += 1;
      } catch (error) {
        return report(findingOf(seed + n, record, error));
      }
    }
    const range = `records of seeds ${seed + from} to ${seed + from + BATCH - 1}`;
    if (process.cpuUsage(before).user / 1000 > HANG_MS) return report(`${range} take too long`);
    if (ownKeys() !== prototypes) return report(`${range} changed a prototype that all objects share`);
  }
  return report(undefined);
}

/** What everything inherits. */
function ownKeys(): string {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype]
    .map((prototype) => Reflect.ownKeys(prototype).map(String).join())
    .join('\n');
}

function findingOf(seed: number, record: InboundRecord, error: unknown): string {
  return [
    `A hostile record did harm: ${show(error)}`,
    `Repeat it: npm run test:long -- fuzz --seed ${seed} --records 1`,
    show(record, { maxStringLength: 500, maxArrayLength: 50 }),
    `body: ${JSON.stringify(
      Buffer.from(record.value ?? [])
        .toString('latin1')
        .slice(0, 2_000),
    )}`,
  ].join('\n');
}

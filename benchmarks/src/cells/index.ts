import type { Cell } from './cell.js';
import { drainIdleHandler, drainSlowHandler } from './drain.js';
import { engineCost } from './engine.js';
import { idleLatency } from './latency.js';
import { memory } from './memory.js';
import { publishInCalls, publishSingly } from './publish.js';

/** All cells, in the order in which they run. */
export const CELLS: readonly Cell[] = [
  engineCost,
  publishInCalls,
  publishSingly,
  drainIdleHandler,
  drainSlowHandler,
  idleLatency,
  memory,
];

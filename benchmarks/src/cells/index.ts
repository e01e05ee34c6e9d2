import type { Cell } from './cell.js';
import { drainIdleHandler, drainSlowHandler } from './drain.js';
import { publishInCalls, publishSingly } from './publish.js';

/** All cells, in the order in which they run. */
export const CELLS: readonly Cell[] = [publishInCalls, publishSingly, drainIdleHandler, drainSlowHandler];

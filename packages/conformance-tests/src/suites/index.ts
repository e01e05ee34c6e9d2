import type { Suite } from '../registry.js';

/** Every suite, in the order in which they run: first what the rest stands on. */
export const SUITES: readonly Suite[] = [];

import { BUS_MUTANTS } from './buses.js';
import type { Mutant } from './mutant.js';
import { TRANSPORT_MUTANTS } from './transports.js';

export type { Mutant } from './mutant.js';
export { healthyFailures, type MutantResult, runMutant } from './run-mutant.js';

/** Every mutant. */
export const MUTANTS: readonly Mutant[] = [...TRANSPORT_MUTANTS, ...BUS_MUTANTS];

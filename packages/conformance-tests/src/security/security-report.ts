import type { BrokerInfo } from '../subject.js';
import type { CellResult } from './matrix.js';

/** What came of a matrix: every cell, in the order of the doors. */
export interface SecurityReport {
  readonly bus: string;
  readonly broker: BrokerInfo | undefined;
  readonly cells: readonly CellResult[];
}

/** Times and counts in it are of one run. */
export function securityReport(
  bus: string,
  broker: BrokerInfo | undefined,
  results: readonly CellResult[],
): SecurityReport {
  return { bus, broker, cells: results };
}

import type { CaseContext } from '../context.js';
import { type Cell, type Condition, cellsOf, nameOf } from './cells.js';
import type { SecuredBroker } from './secured.js';

/** What came of a cell. */
export interface CellResult {
  readonly protocol: string;
  readonly mechanism: string;
  readonly condition: Condition;
  readonly expected: string;
  readonly passed: boolean;
  /** What was seen, or why it is not what was expected. */
  readonly seen: string;
}

/** Which cells, and who is told of each. */
export interface MatrixOptions {
  /** @default all */
  readonly only?: (cell: Cell) => boolean;
  /** @default nobody */
  readonly onResult?: (result: CellResult) => void;
}

/** Runs the cells of a broker one after the other, each with a history and with names of its own. */
export async function runMatrix(
  t: CaseContext,
  broker: SecuredBroker,
  { only = () => true, onResult = () => {} }: MatrixOptions = {},
): Promise<readonly CellResult[]> {
  const results: CellResult[] = [];
  for (const cell of broker.doors.flatMap(cellsOf).filter(only)) {
    const result = await resultOf(t.part(), cell);
    results.push(result);
    onResult(result);
  }
  return results;
}

async function resultOf(t: CaseContext, cell: Cell): Promise<CellResult> {
  const { door, condition, expected } = cell;
  const { protocol, mechanism } = door;
  try {
    const seen = await cell.check(t);
    return { protocol, mechanism, condition, expected, passed: true, seen };
  } catch (error) {
    const why = `${nameOf(cell)}: ${error instanceof Error ? error.message : String(error)}`;
    return { protocol, mechanism, condition, expected, passed: false, seen: `${why}\n${t.statuses.end()}` };
  } finally {
    await t.cleanUp();
  }
}

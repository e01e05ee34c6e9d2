import type { CaseContext } from '../context.js';
import { isRevoked, isRotated } from './changed.js';
import { isDenied } from './denied.js';
import { isRefused } from './refused.js';
import type { Door, Right, WrongKey } from './secured.js';
import { worksEndToEnd } from './visitor.js';

/** What a cell of the matrix is about. */
export type Condition =
  | 'right'
  | WrongKey
  | `no right to the ${Right}`
  | 'revoked while running'
  | 'rotated while running';

/** One way in, under one condition. */
export interface Cell {
  readonly door: Door;
  readonly condition: Condition;
  /** What has to come of it: `works`, or the code of an error. */
  readonly expected: string;
  /** Resolves to what was seen, in a few words. Rejects when it is not what has to come of it. */
  check(t: CaseContext): Promise<string>;
}

const RIGHTS: readonly Right[] = ['stream', 'group', 'dead letters'];

/** Every cell of a door. */
export function cellsOf(door: Door): readonly Cell[] {
  const { revoke, rotate } = door;
  const cell = (condition: Condition, expected: string, check: Cell['check']): Cell => ({
    door,
    condition,
    expected,
    check,
  });
  return [
    cell('right', 'works', (t) => worksEndToEnd(t, door)),
    ...Object.entries(door.wrong).map(([condition, attempt]) =>
      cell(condition as WrongKey, attempt.code, (t) => isRefused(t, door, attempt)),
    ),
    ...RIGHTS.flatMap((right) => {
      const deny = door.deny?.[right];
      if (!deny) return [];
      return cell(`no right to the ${right}`, 'AUTHORIZATION', (t) => isDenied(t, door, right, deny));
    }),
    ...(revoke ? [cell('revoked while running', 'AUTHENTICATION', (t) => isRevoked(t, door, revoke))] : []),
    ...(rotate ? [cell('rotated while running', 'works', (t) => isRotated(t, door, rotate))] : []),
  ];
}

/** How a cell is called in messages. */
export function nameOf({ door, condition }: Cell): string {
  return `${door.protocol}, ${door.mechanism}: ${condition}`;
}

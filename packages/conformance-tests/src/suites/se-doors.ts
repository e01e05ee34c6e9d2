import assert from 'node:assert/strict';

import type { CaseContext } from '../context.js';
import type { ConformanceCase } from '../registry.js';
import type { Cell, Condition } from '../security/cells.js';
import { runMatrix } from '../security/matrix.js';

const MINUTE_MS = 60_000;

/** What SE01 is about: certificates, and that all doors work. */
const TLS: ReadonlySet<Condition> = new Set<Condition>([
  'right',
  'unknown authority',
  'expired certificate',
  'wrong name',
  'no client certificate',
  'client certificate of an unknown authority',
  'expired client certificate',
]);

const CREDENTIALS: ReadonlySet<Condition> = new Set<Condition>([
  'wrong password',
  'no credentials',
  'revoked while running',
  'rotated while running',
]);

const RIGHTS: ReadonlySet<Condition> = new Set<Condition>([
  'no right to the stream',
  'no right to the group',
  'no right to the dead letters',
]);

/** SE01 to SE03: what the doors of a secured broker let in, and what they keep out. */
export const doorCases: readonly ConformanceCase[] = [
  {
    id: 'SE01',
    title: 'every protocol works end to end; what TLS must refuse is refused at once, with the reason',
    requires: ['security', 'secured.open'],
    timeoutMs: 8 * MINUTE_MS,
    run: (t) => expectAll(t, ({ condition }) => TLS.has(condition)),
  },
  {
    id: 'SE02',
    title: 'wrong, revoked and rotated credentials: told at once, in few attempts; nothing confirmed is lost',
    requires: ['security', 'secured.open'],
    timeoutMs: 8 * MINUTE_MS,
    run: (t) => expectAll(t, ({ condition }) => CREDENTIALS.has(condition)),
  },
  {
    id: 'SE03',
    title: 'a missing right is told where it is missing, and the rest works',
    requires: ['security', 'secured.open'],
    timeoutMs: 8 * MINUTE_MS,
    // Whoever has come in by whatever door is the same user to the broker.
    run: (t) =>
      expectAll(
        t,
        onlyFirstDoor(({ condition }) => RIGHTS.has(condition)),
      ),
  },
];

async function expectAll(t: CaseContext, only: (cell: Cell) => boolean): Promise<void> {
  const { secured } = t.subject;
  if (!secured) throw new Error('unreachable: the case requires it');
  const broker = await secured.open();
  const results = await runMatrix(t, broker, { only });
  assert.ok(results.length > 0, 'the broker has no door that this could be seen at');
  const failed = results.filter(({ passed }) => !passed);
  assert.equal(failed.length, 0, failed.map(({ seen }) => seen).join('\n'));
  t.note(`${results.length} cells`);
}

/** In the long run all doors are tried. */
function onlyFirstDoor(only: (cell: Cell) => boolean): (cell: Cell) => boolean {
  let first: Cell['door'] | undefined;
  return (cell) => {
    if (!only(cell)) return false;
    first ??= cell.door;
    return cell.door === first;
  };
}

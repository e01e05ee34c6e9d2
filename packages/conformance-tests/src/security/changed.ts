import assert from 'node:assert/strict';

import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import { staysTrue, within } from '../poll.js';
import { failsWith } from '../suites/support.js';
import type { Door, Undo } from './secured.js';
import { Visitor } from './visitor.js';

/** How long it is watched that nobody knocks all the time, and how often may be knocked meanwhile. */
const WATCHED_MS = 1_500;
const MOST_ATTEMPTS = 60;

/** A user who is taken away while the bus runs, and given back. Resolves to what was seen. */
export async function isRevoked(t: CaseContext, door: Door, revoke: () => Promise<Undo>): Promise<string> {
  const visitor = await Visitor.atWork(t, door);
  const undo = await revoke();
  let seen: string;
  try {
    await door.network.cut();
    await visitor.hears('AUTHENTICATION');
    await failsWith('publish', 'AUTHENTICATION', () =>
      within('a refusal', visitor.bus.publish(makeEvent({ key: 'refused' })), t.budget.refuseMs),
    );
    await t.until('health that is not ok', async () => !(await visitor.bus.health()).healthy);
    const before = door.network.accepted;
    await staysTrue(
      `at most ${MOST_ATTEMPTS} connections`,
      () => door.network.accepted - before <= MOST_ATTEMPTS,
      WATCHED_MS,
    );
    seen = `AUTHENTICATION; connections in ${WATCHED_MS} ms: ${door.network.accepted - before}`;
  } finally {
    await undo();
  }
  await isBack(t, visitor);
  return seen;
}

/** A secret that is changed while the bus runs. */
export async function isRotated(t: CaseContext, door: Door, rotate: () => Promise<Undo>): Promise<string> {
  const visitor = await Visitor.atWork(t, door);
  const undo = await rotate();
  try {
    await door.network.cut();
    await isBack(t, visitor);
    assert.equal(visitor.heard('AUTHENTICATION'), 0, 'the old secret was used again');
  } finally {
    await undo();
    await door.network.cut();
  }
  await isBack(t, visitor);
  return 'works';
}

/** It publishes and consumes again, and nothing that was confirmed is missing. */
export async function isBack(t: CaseContext, visitor: Visitor): Promise<void> {
  await t.until('a publish that succeeds', () => visitor.publish().then(() => true), {
    withinMs: t.budget.recoverMs,
    everyMs: 50,
  });
  await visitor.settled();
}

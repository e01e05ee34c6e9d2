import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import { within } from '../poll.js';
import { failsWith, failureOf } from '../suites/support.js';
import type { Door, WrongAttempt } from './secured.js';
import { through } from './visitor.js';

/** Patience of the bus itself: what must not be let in must not need it. */
const PATIENCE_MS = 60_000;
const MOST_ATTEMPTS = 3;
/** Names the option to mend, or the broker. */
const WHICH_SIDE = /security\.|broker/;

/** Who knocks with a wrong key is told so: soon, in few attempts, by what can be mended. Resolves to what was seen. */
export async function isRefused(t: CaseContext, door: Door, attempt: WrongAttempt): Promise<string> {
  const undo = await attempt.arrange?.();
  try {
    const overrides = { connectTimeoutMs: PATIENCE_MS, ...attempt.overrides };
    const bus = await t.bus({ ...through(door), overrides });
    const attemptsBefore = door.network.accepted;
    const startedMs = monotonicMs();
    const error = await failureOf('connect', () => within('a refusal', bus.connect(), t.budget.refuseMs));
    const tookMs = monotonicMs() - startedMs;
    const attempts = door.network.accepted - attemptsBefore;
    assert.equal(error.code, attempt.code, error.message);
    assert.ok(attempts <= MOST_ATTEMPTS, `${attempts} connections for one refusal`);
    assert.match(error.message, WHICH_SIDE, 'the message does not say which side is to be mended');
    await failsWith('publish', attempt.code, () =>
      within('a refusal', bus.publish(makeEvent()), t.budget.refuseMs),
    );
    await bus.shutdown();
    return `${error.code} in ${tookMs.toFixed(0)} ms, connections: ${attempts}`;
  } finally {
    await undo?.();
  }
}

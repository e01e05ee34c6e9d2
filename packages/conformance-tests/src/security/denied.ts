import { isBusError } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { staysTrue, within } from '../poll.js';
import { failsWith } from '../suites/support.js';
import { isBack } from './changed.js';
import type { Door, Right, Undo, Where } from './secured.js';
import { through, Visitor } from './visitor.js';

type Deny = (where: Where) => Promise<Undo>;

/** How long it is watched that the lack is not told all the time, and how often it may be told meanwhile. */
const WATCHED_MS = 1_000;
const MOST_TOLD = 60;
const GROUP = 'denied';
const NEVER = (): boolean => false;

function isUnauthorized(error: unknown): boolean {
  return isBusError(error) && error.code === 'AUTHORIZATION';
}

/** A right that is taken away while the bus runs: told there, the rest works, and nothing is lost. */
export async function isDenied(t: CaseContext, door: Door, right: Right, deny: Deny): Promise<string> {
  const visitor = await Visitor.atWork(t, door, { group: GROUP });
  const other = t.part();
  const elsewhere = await Visitor.enter(other, door, { group: 'elsewhere' });
  const undo = await deny({ namespace: t.namespace, group: GROUP, elsewhere: other.namespace });
  try {
    await LACKS[right](t, door, visitor);
    await staysTrue(
      `told at most ${MOST_TOLD} times`,
      () => visitor.heard('AUTHORIZATION') <= MOST_TOLD,
      WATCHED_MS,
    );
    await elsewhere.publish();
    await elsewhere.settled();
  } finally {
    await undo();
  }
  await isBack(t, visitor);
  if (right === 'dead letters')
    await t.until('the dead letter', async () => (await visitor.bus.deadLetters.count()) === 1);
  return `AUTHORIZATION, told ${visitor.heard('AUTHORIZATION')} times; others work`;
}

/** What shows that the right is gone. */
const LACKS: Readonly<Record<Right, (t: CaseContext, door: Door, visitor: Visitor) => Promise<void>>> = {
  stream: async (t, door, visitor) => {
    // Brokers take a moment to go by what they were told.
    await t.until('a publish that is refused', () => visitor.publish().then(NEVER, isUnauthorized));
    const late = await t.bus(through(door));
    // Where looking is allowed and writing is not, connecting succeeds.
    await within('an answer', late.connect(), t.budget.refuseMs).catch((error: unknown) => {
      if (!isUnauthorized(error)) throw error;
    });
  },
  group: async (t, door, visitor) => {
    await visitor.publish();
    await visitor.hears('AUTHORIZATION');
    const late = await t.bus({ ...through(door), group: GROUP });
    late.subscribeToAllEvents(() => {});
    await failsWith('startConsuming', 'AUTHORIZATION', () =>
      within('a refusal', late.startConsuming(), t.budget.refuseMs),
    );
  },
  'dead letters': async (_t, _door, visitor) => {
    await visitor.publishHopeless();
    await visitor.hears('AUTHORIZATION');
  },
};

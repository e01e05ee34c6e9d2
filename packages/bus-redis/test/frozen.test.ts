import { uniqueName } from '@omnibus/conformance-tests';
import { deadLetter, settle } from '../src/scripts.js';
import { Gate } from './support/gate.js';
import { GROUP, ProcessGroup } from './support/processes.js';
import { Opener, sharedUrl, until } from './support/redis.js';

jest.setTimeout(90_000);

const opener = new Opener();
const gates: Gate[] = [];
let group: ProcessGroup;

beforeAll(async () => {
  // The server does nothing for a late command whose script it has never seen; it must know the script to be tempted.
  const name = uniqueName();
  await deadLetter.run(
    opener.client(),
    [`${name}:lease`, `${name}:stream`, `${name}:letters`],
    ['', '', '0-0'],
  );
});
beforeEach(() => {
  // One partition: who has it does everything, and whoever comes while it lives waits.
  group = new ProcessGroup(sharedUrl(), 1);
});
afterEach(async () => {
  await group.close();
  for (const gate of gates.splice(0)) gate.close();
  await opener.close();
});

async function openGate(): Promise<Gate> {
  const gate = await Gate.open(sharedUrl());
  gates.push(gate);
  return gate;
}

const KEYS = 4;
const PER_KEY = 3;
const EVENTS = KEYS * PER_KEY;

const CASES = [
  ['a read', 'xreadgroup', false],
  ['an acknowledgement', settle.sha, false],
  ['a dead-lettering', deadLetter.sha, true],
] as const;

/** The events of a case; with a poison one, that is the first of its key. */
const eventsOf = (isPoisoned: boolean): Parameters<ProcessGroup['publish']>[0] => ({
  keys: KEYS,
  perKey: PER_KEY,
  behaviour: (key, sequence) =>
    isPoisoned && key === 'key-0' && sequence === 1 ? { nonRetryable: true } : undefined,
});

/** What must be true in the end, whatever was held up. */
async function expectNoHarm(isPoisoned: boolean): Promise<void> {
  await group.publish({ keys: KEYS, from: PER_KEY + 1 });
  await group.untilDone();
  const givenUp = group.history.publishes.filter(
    ({ key, sequence }) => isPoisoned && key === 'key-0' && sequence === 1,
  );
  group.expectOrder(givenUp);
  const all = EVENTS + KEYS - givenUp.length;
  expect(group.history.handled(GROUP)).toBe(all);
  expect(await group.recorded()).toBeLessThanOrEqual(all);
  const client = opener.client();
  expect(await client.xlen(`${group.stream}_dlq`)).toBe(givenUp.length);
  expect(await group.pendingOf(client, 'first')).toBe(0);
}

describe('an owner that stands still for longer than its lease', () => {
  test.each(CASES)(
    'in the middle of %s, which reaches the server when the next owner does the same: it does nothing',
    async (_, text, isPoisoned) => {
      const [firstGate, secondGate] = [await openGate(), await openGate()];
      const first = await group.consumer('first', { url: firstGate.url });
      const held = firstGate.hold(text, 'command');
      await group.publish(eventsOf(isPoisoned));
      await held;
      first.freeze();
      const heldAtSecond = secondGate.hold(text, 'command');
      const second = group.consumer('second', { url: secondGate.url });
      await heldAtSecond;
      const client = opener.client();
      let before: unknown;
      await until('what is under way to have arrived', async () => {
        const earlier = before;
        before = await group.facts(client);
        return JSON.stringify(before) === JSON.stringify(earlier);
      });
      await firstGate.release();
      expect(await group.facts(client)).toEqual(before);
      group.thaw(first);
      await until('the first to have nothing in hand', async () => (await group.inFlight(first)) === 0);
      await secondGate.release();
      await second;
      await expectNoHarm(isPoisoned);
    },
  );

  test.each(CASES)(
    'in the middle of %s, whose answer it finds when another has gone on: it makes nothing of it',
    async (_, text, isPoisoned) => {
      const gate = await openGate();
      const first = await group.consumer('first', { url: gate.url });
      const held = gate.hold(text, 'answer');
      await group.publish(eventsOf(isPoisoned));
      await held;
      first.freeze();
      await group.consumer('second');
      await group.untilDone();
      const startedBefore = group.history.of(GROUP, { consumer: 'first' }).length;
      await gate.release();
      group.thaw(first);
      await until('the first to have nothing in hand', async () => (await group.inFlight(first)) === 0);
      expect(group.history.of(GROUP, { consumer: 'first' })).toHaveLength(startedBefore);
      await expectNoHarm(isPoisoned);
    },
  );
});

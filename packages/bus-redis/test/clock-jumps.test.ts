import type { Child } from '@omnibus/conformance-tests';
import { Gate } from './support/gate.js';
import { GROUP, ProcessGroup } from './support/processes.js';
import { Opener, sharedUrl, until } from './support/redis.js';

jest.setTimeout(90_000);

const opener = new Opener();
let group: ProcessGroup;

afterEach(async () => {
  await group.close();
  await opener.close();
});

const KEYS = 30;
const PER_KEY = 8;
const EVENTS = KEYS * PER_KEY;
const PARTITIONS = 4;
/** Preloads a clock that these signals set by hours. */
const JUMPING = { NODE_OPTIONS: `--require ${require.resolve('./support/jumping-clock.cjs')}` };
const FORWARD = 'SIGUSR2';
const BACK = 'SIGHUP';

async function setClock(child: Child, signal: typeof FORWARD | typeof BACK): Promise<void> {
  child.signal(signal);
  // When it has answered twice, one after the other, it has also seen the signal.
  await child.call('state');
  await child.call('state');
}

/** The leases of the first, as the server has them. */
async function leasesOfFirst(): Promise<readonly string[]> {
  const keys = Array.from({ length: PARTITIONS }, (_, partition) => {
    const stream = partition === 0 ? group.stream : `${group.stream}:${partition}`;
    return `{${stream}}:lease:${GROUP}`;
  });
  const tokens = await opener.client().mget(keys);
  return tokens.flatMap((token) => (token?.startsWith('first/') ? [token] : []));
}

describe('a consumer whose clock is set by hours', () => {
  test.each([
    ['forward', FORWARD],
    ['back', BACK],
  ] as const)('%s, in the middle of its work: order holds, and the work goes on', async (_, signal) => {
    group = new ProcessGroup(sharedUrl(), PARTITIONS);
    const first = await group.consumer('first', { env: JUMPING });
    await group.consumer('second');
    await group.publish({
      keys: KEYS,
      perKey: PER_KEY,
      behaviour: (_key, sequence) => ({ workMs: 20, failAttempts: sequence % 4 === 0 ? 1 : 0 }),
    });
    const ofFirst = (): readonly { readonly outcome: string }[] =>
      group.history.of(GROUP, { consumer: 'first' });
    await until('the first to be in the middle of it', () =>
      ofFirst().some(({ outcome }) => outcome === 'running'),
    );
    let leases: readonly string[] = [];
    await until('its leases to be known', async () => {
      leases = await leasesOfFirst();
      return leases.length > 0;
    });
    await setClock(first, signal);
    // It cannot know that it was not away for hours, and asks for what it had like anybody else.
    if (signal === FORWARD)
      await until('the first to have given up what it had', async () =>
        (await leasesOfFirst()).every((lease) => !leases.includes(lease)),
      );
    await group.untilDone();
    await group.publish({ keys: KEYS, from: PER_KEY + 1 });
    await group.untilDone();
    group.expectOrder();
    expect(group.history.handled(GROUP)).toBe(EVENTS + KEYS);
    expect(await group.recorded()).toBeLessThanOrEqual(EVENTS + KEYS);
  });

  test('back, so that a lease that has run out seems young: what it read under it is nothing to it', async () => {
    group = new ProcessGroup(sharedUrl(), 1);
    const gate = await Gate.open(sharedUrl());
    try {
      const first = await group.consumer('first', { url: gate.url, env: JUMPING });
      const held = gate.hold('xreadgroup', 'answer');
      await group.publish({ keys: KEYS });
      await held;
      await setClock(first, BACK);
      first.freeze();
      await group.consumer('second');
      await group.untilDone();
      await gate.release();
      group.thaw(first);
      await until('the first to have nothing in hand', async () => (await group.inFlight(first)) === 0);
      expect(group.history.of(GROUP, { consumer: 'first' })).toEqual([]);
      group.expectOrder();
      expect(group.history.handled(GROUP)).toBe(KEYS);
    } finally {
      await group.close();
      gate.close();
    }
  });
});

import assert from 'node:assert/strict';

import { monotonicMs } from '../clock.js';
import type { CaseContext, Consumer, ConsumerRequest } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import { type ConformanceCase, NotRunError } from '../registry.js';
import { quickRetries } from './support.js';

const KEYS = 20;
/** So much longer than the lease until nobody can take the silent member for alive. */
const WELL_OVER = 1.5;

/** FA08: the acknowledgement of an event that was handled does not arrive. */
export const ackLostCases: readonly ConformanceCase[] = [
  {
    id: 'FA08',
    title: 'an event whose acknowledgement never arrives comes once more: redelivered, as its next attempt',
    requires: ['faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const last = makeEvent({ key: 'last' });
      let lose: (() => Promise<void>) | undefined;
      const { consumer, way } = await consumerThatLosesContact(t, {
        overrides: quickRetries(3),
        handler: async ({ eventId }) => {
          if (eventId !== last.eventId) return;
          // The handler ends in silence: what follows it does not arrive.
          const once = lose;
          lose = undefined;
          await once?.();
        },
      });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: KEYS }));
      await t.untilHandled(KEYS);
      await t.untilQuiet(consumer.bus);
      lose = way.lose;
      await t.publish(publisher, last);
      await t.untilHandled(KEYS + 1);
      await way.untilGivenUp();
      await way.mend();
      const ofLast = () => t.history.of('group').filter(({ eventId }) => eventId === last.eventId);
      await t.until(
        'the event to be handled again',
        () => ofLast().filter(({ outcome }) => outcome === 'ok').length === 2,
        { withinMs: t.budget.recoverMs + t.budget.takeoverMs, everyMs: 20 },
      );
      await t.publish(publisher, makeEvents({ keys: KEYS, from: 2 }));
      await t.untilHandled(2 * KEYS + 1);
      await t.untilQuiet(consumer.bus, { withinMs: t.budget.recoverMs });
      const told = ofLast().map(({ attempt, redelivered }) => ({ attempt, redelivered }));
      assert.deepEqual(told, [
        { attempt: 1, redelivered: false },
        { attempt: 2, redelivered: true },
      ]);
      assert.equal(consumer.bus.stats.redeliveries, 1);
      const report = t.expectClean({ tolerate: ['duplicated'] });
      assert.equal(report.duplicated.length, 1, 'events that had been acknowledged came again');
    },
  },
  {
    id: 'FA08',
    title:
      'a connection that is cut between handler and acknowledgement, and comes back: at most one redelivery',
    requires: ['sockets', 'faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const last = makeEvent({ key: 'last' });
      const { bus } = await t.consumer({
        through: way,
        overrides: quickRetries(3),
        handler: async ({ eventId }, { attempt }) => {
          if (eventId === last.eventId && attempt === 1) await way.network.cut();
        },
      });
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: KEYS }));
      await t.untilHandled(KEYS);
      await t.untilQuiet(bus);
      await t.publish(publisher, last);
      await t.untilHandled(KEYS + 1);
      await t.publish(publisher, makeEvents({ keys: KEYS, from: 2 }));
      await t.untilHandled(2 * KEYS + 1, { withinMs: t.budget.recoverMs + t.budget.deliverMs });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      const report = t.expectClean({ tolerate: ['duplicated'] });
      // Either the acknowledgement is sent again, or the event comes again and says so.
      const again = t.history
        .of('group')
        .filter((d) => d.eventId === last.eventId)
        .slice(1);
      assert.ok(again.length <= 1, `handled ${again.length + 1} times`);
      for (const { attempt, redelivered } of again)
        assert.deepEqual({ attempt, redelivered }, { attempt: 2, redelivered: true });
      assert.equal(report.duplicated.length, again.length, 'events that had been acknowledged came again');
    },
  },
];

/** How a consumer loses contact with the broker, and finds it again. */
interface WayToLose {
  readonly lose: () => Promise<void>;
  /** Resolves when the broker has given the member up. */
  untilGivenUp(): Promise<unknown>;
  mend(): Promise<void>;
}

/** Its connection falls silent; where there is none, its lease runs out while it hangs. */
async function consumerThatLosesContact(
  t: CaseContext,
  request: ConsumerRequest,
): Promise<{ readonly consumer: Consumer; readonly way: WayToLose }> {
  if (!t.subject.capabilities.sockets) return memberThatHangs(t, request);
  const proxied = await t.faults.throughProxy();
  t.onCleanup(() => proxied.close());
  const consumer = await t.consumer({ ...request, through: proxied });
  let lostAtMs = 0;
  return {
    consumer,
    way: {
      lose: () => {
        lostAtMs = monotonicMs();
        return proxied.network.halfOpen();
      },
      untilGivenUp: () =>
        t.until('the lease to be over', () => monotonicMs() - lostAtMs > WELL_OVER * t.budget.leaseMs, {
          withinMs: 2 * WELL_OVER * t.budget.leaseMs,
          everyMs: 50,
        }),
      mend: () => proxied.network.heal(),
    },
  };
}

async function memberThatHangs(
  t: CaseContext,
  request: ConsumerRequest,
): Promise<{ readonly consumer: Consumer; readonly way: WayToLose }> {
  const { faults } = t;
  if (!faults.freezeMember || !faults.thawMember)
    throw new NotRunError('the subject has no sockets, and no faults.freezeMember and thawMember');
  const name = 'consumer';
  const overrides = { ...request.overrides, consumerName: name };
  const consumer = await t.consumer({ ...request, overrides });
  return {
    consumer,
    way: {
      lose: () => faults.freezeMember(name),
      untilGivenUp: () => Promise.resolve(),
      mend: () => faults.thawMember(name),
    },
  };
}

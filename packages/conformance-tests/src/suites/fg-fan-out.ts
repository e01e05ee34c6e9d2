import assert from 'node:assert/strict';

import type { CaseContext, Consumer } from '../context.js';
import { makeEvents } from '../events.js';
import { type Suite, suite } from '../registry.js';
import { independenceCases } from './fg-independence.js';
import { quickRetries } from './support.js';

/** How soon what an ephemeral group left on the broker must be gone. */
const ARTIFACTS_GONE_MS = 5_000;

/** Every group receives every event, and nothing of the other groups' troubles. */
export const FAN_OUT: Suite = suite('FG', [
  {
    id: 'FG01',
    requires: ['competing'],
    timeoutMs: 60_000,
    async run(t) {
      const groups = ['a', 'b', 'c'];
      const members = await Promise.all(
        groups.flatMap((group) => [1, 2, 3].map(() => t.consumer({ group }))),
      );
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 30, perKey: 10 }));
      for (const group of groups) await t.untilHandled(300, { group });
      for (const group of groups) {
        await t.untilQuiet(members.filter((m) => m.group === group).map(({ bus }) => bus));
        assert.equal(t.expectClean({ group }).handled, 300);
      }
    },
  },
  ...independenceCases,
  {
    id: 'FG03',
    async run(t) {
      const count = 50;
      const behaviour = { failAttempts: 3 };
      const a = await t.consumer({ group: 'a', overrides: quickRetries(3) });
      const b = await t.consumer({ group: 'b', handler: () => {} });
      await t.publish(b.bus, makeEvents({ keys: 10, perKey: count / 10, behaviour }));
      await t.untilHandled(count, { group: 'a' });
      await t.untilHandled(count, { group: 'b' });
      await t.untilQuiet(a.bus);
      await t.untilQuiet(b.bus);
      t.expectClean({ group: 'a' });
      t.expectClean({ group: 'b' });
      assert.equal(t.history.of('b').length, count, 'the other group was given more than the events');
      assert.equal(t.history.of('a').length, 4 * count);
      assert.ok(
        t.history.of('b').every((d) => d.attempt === 1 && !d.redelivered),
        'the other group was told of retries',
      );
      if (t.subject.inspect?.readRaw) {
        assert.equal(
          (await t.inspect.readRaw(t.namespace)).length,
          count,
          'retries went into the shared stream',
        );
      }
    },
  },
  {
    id: 'FG04',
    requires: ['durable'],
    timeoutMs: 60_000,
    async run(t) {
      const first = await t.consumer();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 2 }));
      await t.untilHandled(20);
      await t.untilQuiet(first.bus);
      await first.bus.shutdown();
      const missed = makeEvents({ keys: 10, perKey: 10, from: 3 });
      await t.publish(publisher, missed);
      await startAnew(t, 'second');
      await t.untilHandled(120, { withinMs: t.budget.takeoverMs });
      await t.until('no lag to be left', async () => (await publisher.lag()).total === 0);
      t.expectClean();
      assert.deepEqual(
        t.history
          .of('group', { consumer: 'second' })
          .map((d) => d.eventId)
          .sort(),
        missed.map((event) => event.eventId).sort(),
      );
    },
  },
  {
    id: 'FG05',
    title: 'a new group starts with what comes, or with all that is retained, as configured',
    requires: ['retained'],
    async run(t) {
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 5 }));
      const latest = await t.consumer({ group: 'latest', overrides: { startFrom: 'latest' } });
      const earliest = await t.consumer({ group: 'earliest', overrides: { startFrom: 'earliest' } });
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 5, from: 6 }));
      await t.untilHandled(50, { group: 'latest' });
      await t.untilHandled(100, { group: 'earliest' });
      await t.untilQuiet(latest.bus);
      await t.untilQuiet(earliest.bus);
      t.expectClean({ group: 'latest', meantFor: (p) => p.sequence >= 6 });
      t.expectClean({ group: 'earliest' });
    },
  },
  {
    id: 'FG05',
    title: 'ensureGroup keeps what is published before the first consumer',
    async run(t) {
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10 }));
      const overrides = { startFrom: 'latest' } as const;
      const owner = await t.bus({ overrides });
      await owner.ensureGroup();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 3, from: 2 }));
      // Asked again it moves nothing.
      await owner.ensureGroup();
      await owner.shutdown();
      const { bus } = await t.consumer({ overrides });
      await t.untilHandled(30);
      await t.untilQuiet(bus);
      t.expectClean({ meantFor: (p) => p.sequence >= 2 });
    },
  },
  {
    id: 'FG06',
    requires: ['inspect.groups'],
    async run(t) {
      const labels = ['anonymous-1', 'anonymous-2', 'anonymous-3'];
      const anonymous = await Promise.all(
        labels.map((group) => t.consumer({ group, overrides: { ephemeralGroup: true } })),
      );
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10, perKey: 3 }));
      for (const group of labels) await t.untilHandled(30, { group });
      for (const [index, group] of labels.entries()) {
        await t.untilQuiet((anonymous[index] as Consumer).bus);
        t.expectClean({ group });
      }
      assert.equal((await t.inspect.groups(t.namespace)).length, 3, 'groups on the broker');
      await Promise.all(anonymous.map(({ bus }) => bus.shutdown()));
      await t.until(
        'the groups to be gone from the broker',
        async () => (await t.inspect.groups(t.namespace)).length === 0,
        { withinMs: ARTIFACTS_GONE_MS, everyMs: 50 },
      );
    },
  },
]);

/** A member in a process of its own where there can be one, else on a bus of its own. */
async function startAnew(t: CaseContext, name: string): Promise<void> {
  if (!t.subject.capabilities.processes) {
    await t.consumer({ name });
    return;
  }
  const { namespace } = t;
  await t.processes.spawn({ role: 'consumer', name, namespace, group: 'group', overrides: {} });
}

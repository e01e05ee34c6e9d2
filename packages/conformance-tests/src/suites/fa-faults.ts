import assert from 'node:assert/strict';

import { makeEvents } from '../events.js';
import { staysTrue, within } from '../poll.js';
import { type Suite, suite } from '../registry.js';
import { ackLostCases } from './fa-ack-lost.js';
import { brokerCases } from './fa-broker.js';
import { frozenCases } from './fa-frozen.js';
import { nemesisCases } from './fa-nemesis.js';
import { networkCases } from './fa-network.js';
import { silenceCases } from './fa-silence.js';
import { topologyCases } from './fa-topology.js';
import { publishAll } from './support-publishers.js';

const EVENTS = 10_000;
const PUBLISHERS = 4;
const BATCH = 50;
/** Of each publisher. */
const KEYS = 25;
const MAX_IN_FLIGHT = 500;
const CUTS = 3;
/** Longer than a bus takes to notice that a broker on the same machine is gone. */
const WAITS_MS = 300;

/** What breaks is mended, and nothing that was confirmed is lost. */
export const FAULTS: Suite = suite('FA', [
  {
    id: 'FA01',
    requires: ['faults.stop', 'faults.start'],
    timeoutMs: 180_000,
    async run(t) {
      const { bus } = await t.consumer({ overrides: { maxInFlight: MAX_IN_FLIGHT } });
      const buses = await Promise.all(Array.from({ length: PUBLISHERS }, () => t.bus()));
      await Promise.all(buses.map((publisher) => publisher.connect()));
      let published = 0;
      let again = 0;
      const publishing = Promise.all(
        buses.map((publisher, n) =>
          publishAll(t, publisher, {
            n,
            events: EVENTS / PUBLISHERS,
            keys: KEYS,
            batch: BATCH,
            onConfirmed: (count, repeated) => {
              published += count;
              again += repeated;
            },
          }),
        ),
      );
      publishing.catch(() => {});
      t.onCleanup(() => t.faults.start());
      for (const part of [1, 2]) {
        await t.until(`${part}/3 to be published`, () => published >= (part * EVENTS) / 3, {
          withinMs: 60_000,
          everyMs: 20,
        });
        await t.faults.stop();
        await t.faults.start();
        const before = t.history.handled('group');
        await t.until('consumption to go on', () => t.history.handled('group') > before, {
          withinMs: t.budget.recoverMs,
          everyMs: 20,
        });
      }
      await within('the publishers to end', publishing, 60_000);
      await t.untilHandled(EVENTS, { withinMs: 60_000, everyMs: 50 });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      assert.equal(t.history.published('ok').length, EVENTS, 'aborted publishes');
      const report = t.expectClean({ tolerate: ['duplicated'] });
      // A stop finds events in the hands of the consumer, and one call of each publisher without an answer: what is not
      // known to be stored is sent again.
      const allowed = 2 * (MAX_IN_FLIGHT + PUBLISHERS * BATCH) + again;
      assert.ok(
        report.duplicated.length <= allowed,
        `${report.duplicated.length} duplicates, ${allowed} allowed`,
      );
    },
  },
  {
    id: 'FA01',
    title: 'a publish that finds the broker gone is tried again until it is back',
    requires: ['faults.stop', 'faults.start'],
    timeoutMs: 120_000,
    async run(t) {
      const { bus } = await t.consumer();
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ keys: 10 }));
      await t.untilHandled(10);
      t.onCleanup(() => t.faults.start());
      await t.faults.stop();
      const published = t.publish(publisher, makeEvents({ keys: 10, perKey: 5, from: 2 }));
      published.catch(() => {});
      await staysTrue('the publish waits', () => t.history.published('pending').length === 50, WAITS_MS);
      await t.faults.start();
      await within('the publish to be confirmed', published, t.budget.recoverMs);
      await t.untilHandled(60, { withinMs: t.budget.recoverMs });
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      t.expectClean({ tolerate: ['duplicated'] });
    },
  },
  {
    id: 'FA03',
    requires: ['sockets', 'faults.throughProxy'],
    timeoutMs: 120_000,
    async run(t) {
      const way = await t.faults.throughProxy();
      t.onCleanup(() => way.close());
      const { bus } = await t.consumer({ through: way, overrides: { maxInFlight: MAX_IN_FLIGHT } });
      const publisher = await t.bus({ through: way });
      await t.publish(publisher, makeEvents({ keys: 20 }));
      await t.untilHandled(20);
      let sequence = 2;
      for (let cut = 0; cut < CUTS; cut += 1) {
        // Many calls are outstanding, at the client and on the wire, when the connections are reset.
        const outstanding = Array.from({ length: 30 }, () => {
          const events = makeEvents({ keys: 20, from: sequence });
          sequence += 1;
          return t.publish(publisher, events);
        });
        let confirmed = false;
        outstanding[0]?.then(
          () => {
            confirmed = true;
          },
          () => {},
        );
        await t.until('the first to be confirmed', () => confirmed, { everyMs: 1 });
        await way.network.cut();
        const settled = await within(
          'every outstanding publish to settle',
          Promise.allSettled(outstanding),
          t.budget.recoverMs,
        );
        assert.equal(settled.length, 30);
      }
      assert.equal(t.history.published('pending').length, 0);
      const tolerate = ['duplicated', 'recovered'] as const;
      await t
        .until('what was confirmed to be handled', () => t.check().lost.length === 0, {
          withinMs: t.budget.recoverMs,
          everyMs: 100,
        })
        // In its place: which events, and what became of them.
        .catch(() => t.expectClean({ tolerate }));
      await t.untilQuiet(bus, { withinMs: t.budget.recoverMs });
      assert.equal(publisher.stats.pendingPublishes, 0);
      t.expectClean({ tolerate });
    },
  },
  ...brokerCases,
  ...silenceCases,
  ...networkCases,
  ...ackLostCases,
  ...frozenCases,
  ...nemesisCases,
  ...topologyCases,
]);

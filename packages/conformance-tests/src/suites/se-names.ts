import assert from 'node:assert/strict';

import { type EventBus, isBusError } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { gate, quickRetries, statusesOf } from './support.js';

/** What means something to some broker, shell, template or log; each beside a name that it would match or collide with. */
const NAMES: readonly (readonly [hostile: string, sibling: string])[] = [
  ['*', 'anything'],
  ['#', 'any.thing'],
  ['order.*', 'order.placed'],
  ['order.#', 'order.placed.twice'],
  ['a?c', 'abc'],
  ['[ab]', 'a'],
  ['{a}', 'b'],
  ['{{key}}', 'key'],
  ['\u0024{key}', '$key'],
  ['%s', 's'],
  ['a:b', 'a'],
  ['a::b', 'a:'],
  ['two\nlines', 'two'],
  ['two\r\nLINES', 'LINES'],
  ['a\tb', 'ab'],
  ['a b', 'a+b'],
  ['../up', 'up'],
  ["it's", 'its'],
  ['"quoted"', 'quoted'],
  ['back\\slash', 'backslash'],
  ['>', 'a>b'],
  ['__proto__', 'proto'],
  ['constructor', 'Constructor'],
  ['ключ', 'kлюч'],
];
const ALL: readonly string[] = [...new Set(NAMES.flat())];
/** Each makes queues or the like of its own: a few of every kind. */
const GROUPS: readonly (readonly [hostile: string, sibling: string])[] = [
  ['a*b', 'aXb'],
  ['a.#', 'a.b'],
  ['a:b', 'a'],
  ['two\nlines', 'two'],
  ['[a]{b}', '\u0024{a}%s'],
];
const LINE_BREAK = /[\n\r\u2028\u2029]/;

/** SE05: names are names, whatever they look like. */
export const nameCases: readonly ConformanceCase[] = [
  {
    id: 'SE05',
    title: 'hostile keys are literal, or refused: each has its own order, and none holds up another',
    timeoutMs: 60_000,
    async run(t) {
      const held = gate();
      t.onCleanup(() => held.open());
      const hostile = new Set(NAMES.map(([name]) => name));
      const { bus } = await t.consumer({
        handler: async ({ aggregateId }) => {
          if (hostile.has(aggregateId)) await held.opened;
        },
      });
      const { accepted } = await publishEach(
        t,
        bus,
        ALL.map((key) => makeEvent({ key })),
      );
      // What a hostile key is confused with would wait behind it.
      const free = accepted.filter((key) => !hostile.has(key));
      await t.untilHandled(free.length);
      held.open();
      const { accepted: again } = await publishEach(
        t,
        bus,
        accepted.map((key) => makeEvent({ key, from: 2 })),
      );
      assert.deepEqual(again, accepted);
      await t.untilHandled(2 * accepted.length);
      await t.untilQuiet(bus);
      t.expectClean();
      const keys = new Set(t.history.of('group').map(({ key }) => key));
      assert.deepEqual([...keys].sort(), [...accepted].sort());
    },
  },
  {
    id: 'SE05',
    title: 'hostile types are literal, or refused: a handler gets its own type and no other',
    timeoutMs: 60_000,
    async run(t) {
      const bus = await t.bus({ overrides: { ...quickRetries(0), unknownEvents: 'dead-letter' } });
      const statuses = statusesOf(bus);
      const got = new Map<string, string[]>();
      const subscribed: string[] = [];
      for (const type of ALL) {
        const subscribe = (): void =>
          bus.subscribe(type, ({ eventType }) => {
            got.set(type, [...(got.get(type) ?? []), eventType]);
            throw new Error('refused by the handler');
          });
        if (isTaken(subscribe)) subscribed.push(type);
      }
      await bus.startConsuming();
      const { accepted } = await publishEach(
        t,
        bus,
        subscribed.map((type) => makeEvent({ type })),
        'type',
      );
      // Also of types that nobody asked for: what is told of them is told in one line.
      const unknown = subscribed.map((type) => makeEvent({ type: `${type} unknown` }));
      const { accepted: strangers } = await publishEach(t, bus, unknown, 'type');
      await t.until(
        'all to be dead letters',
        async () => (await bus.deadLetters.count()) === accepted.length + strangers.length,
        { everyMs: 50 },
      );
      assert.deepEqual(
        new Map([...got].sort()),
        new Map(accepted.map((type) => [type, [type]] as const).sort()),
      );
      await t.until(
        'all to be told',
        () => statuses.filter(({ type }) => type === 'dead-lettered').length >= accepted.length,
      );
      expectSingleLines(statuses);
    },
  },
  {
    id: 'SE05',
    title: 'hostile groups are literal, or refused: each gets everything once, and has its own dead letters',
    timeoutMs: 90_000,
    async run(t) {
      const accepted: { readonly group: string; readonly bus: EventBus }[] = [];
      const statuses: ReturnType<typeof statusesOf>[] = [];
      for (const group of GROUPS.flat()) {
        const request = { group, overrides: quickRetries(0) };
        const bus = await taken(() =>
          t.consumer({
            ...request,
            handler: (event, context) => {
              assert.equal(context.group, group);
              if (event.data.refusedBy === group) throw new Error('refused by the handler');
            },
          }),
        );
        if (!bus) continue;
        accepted.push({ group, bus: bus.bus });
        statuses.push(statusesOf(bus.bus));
      }
      assert.ok(accepted.length > 0, 'no group was taken');
      const publisher = await t.bus();
      const events = accepted.map(({ group }, n) =>
        makeEvent({ key: `key-${n}`, data: { refusedBy: group } }),
      );
      await t.publish(publisher, [...events, ...makeEvents({ keys: 10 })]);
      const givenUp = new Map(accepted.map(({ group }, n) => [group, new Set([events[n]?.eventId ?? ''])]));
      for (const { group, bus } of accepted) {
        await t.untilHandled(events.length + 10 - 1, { group });
        await t.until('its dead letter', async () => (await bus.deadLetters.count()) > 0, { everyMs: 20 });
        await t.untilQuiet(bus);
        t.expectClean({ group, givenUp: givenUp.get(group) ?? new Set() });
        const letters: string[] = [];
        for await (const letter of bus.deadLetters.list()) letters.push(`${letter.group} ${letter.eventId}`);
        assert.deepEqual(letters, [`${group} ${[...(givenUp.get(group) ?? [])][0]}`]);
      }
      expectSingleLines(statuses.flat());
    },
  },
];

/** Publishes one by one. What is refused must be refused with a typed error of one line. */
async function publishEach(
  t: CaseContext,
  bus: EventBus,
  events: readonly ReturnType<typeof makeEvent>[],
  by: 'key' | 'type' = 'key',
): Promise<{ readonly accepted: readonly string[] }> {
  const accepted: string[] = [];
  for (const event of events)
    if (await taken(() => t.publish(bus, event).then(() => true)))
      accepted.push(by === 'key' ? event.aggregateId : event.eventType);
  return { accepted };
}

/** What `call` resolves to; undefined when it is refused as it should be. */
async function taken<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    expectRefusal(error);
    return undefined;
  }
}

function isTaken(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    expectRefusal(error);
    return false;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['CONFIGURATION', 'SERIALIZATION', 'VALIDATION']);

function expectRefusal(error: unknown): void {
  const { cause } = error as { cause?: unknown };
  assert.ok(isBusError(error), `refused with something that is no BusError: ${String(error)}`);
  const code = isBusError(cause) ? cause.code : error.code;
  assert.ok(REFUSALS.has(code), `refused with ${code}: ${error.message}`);
}

function expectSingleLines(statuses: ReturnType<typeof statusesOf>): void {
  for (const status of statuses) {
    const message =
      'error' in status ? status.error.message : 'message' in status ? status.message : undefined;
    if (message !== undefined)
      assert.ok(!LINE_BREAK.test(message), `told in more than one line: ${JSON.stringify(message)}`);
  }
}

import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import type { EventBus } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import { within } from '../poll.js';
import { type ConformanceCase, NotRunError } from '../registry.js';
import type { BusOverrides } from '../subject.js';
import { statusesOf } from './support.js';
import { startMeters, startTelemetry } from './support-telemetry.js';

/** With signs that are written differently in URLs, in JSON and in expressions. */
const CANARY = 'canary/p@ss+w%rd"9d1f';
const CONNECT_TIMEOUT_MS = 500;
const CALL_MS = 5_000;
/** Objects of the clients go deep, and are looked at to the ground. */
const TO_THE_GROUND = {
  depth: Number.POSITIVE_INFINITY,
  showHidden: true,
  maxArrayLength: null,
  maxStringLength: null,
};

/** SE04: what is given to log in with is never seen again. */
export const secretCases: readonly ConformanceCase[] = [
  {
    id: 'SE04',
    title: 'a password is in no log, status, error, statistic, span, metric or picture of the bus',
    timeoutMs: 90_000,
    async run(t) {
      const ways = t.subject.credentials?.(CANARY) ?? [];
      if (ways.length === 0 && t.subject.capabilities.sockets)
        throw new NotRunError('the subject provides no credentials');
      const log = captureLog(t);
      const telemetry = await startTelemetry(t);
      const meters = await startMeters(t);
      const overrides = {
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        tracing: { tracerProvider: telemetry.provider },
        metrics: { meterProvider: meters.provider },
        publish: { timeoutMs: CONNECT_TIMEOUT_MS },
      } as BusOverrides;
      for (const way of ways) await useAndLook(t, { ...overrides, ...way });
      for (const wrong of wrongOptions(ways)) await expectHiddenInRefusal(t, wrong);
      for (const span of telemetry.spans())
        expectHidden('a span', [span.name, span.attributes, span.events, span.status]);
      expectHidden('a label of a metric', [...(await meters.labels())]);
      expectHidden('the log', log());
      expectHidden('what the system shows of the process', [process.title, process.argv]);
    },
  },
];

/** Everything that can be called, and everything that can be looked at before and after. */
async function useAndLook(t: CaseContext, overrides: BusOverrides): Promise<void> {
  const bus = await t.bus({ overrides });
  const statuses = statusesOf(bus);
  bus.subscribeToAllEvents(() => {});
  look(bus);
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    connect: () => bus.connect(),
    publish: () => bus.publish(makeEvents({ keys: 2 })),
    startConsuming: () => bus.startConsuming(),
    lag: () => bus.lag(),
    'deadLetters.count': () => bus.deadLetters.count(),
    replay: () => bus.replay({ from: 'beginning', handler: () => {} }),
  };
  for (const [what, call] of Object.entries(calls)) {
    const outcome = await within(what, call(), CALL_MS).catch((error: unknown) => error);
    expectHidden(`what ${what} ended with`, outcome);
    if (outcome instanceof Error) expectHidden(`the stack of what ${what} failed with`, stacksOf(outcome));
  }
  expectHidden('health', await bus.health());
  look(bus);
  await bus.shutdown({ timeoutMs: CONNECT_TIMEOUT_MS });
  look(bus);
  expectHidden('a status event', statuses);
  for (const status of statuses)
    if ('error' in status) expectHidden('the stack of a status event', stacksOf(status.error));
}

function look(bus: EventBus): void {
  expectHidden('the bus', bus);
  expectHidden('stats', bus.stats);
  expectHidden('the bus as text', String(bus));
}

/** The same options with a mistake in them: a misspelt name, a value of the wrong kind. */
function wrongOptions(ways: readonly BusOverrides[]): readonly BusOverrides[] {
  const misspelt = ways.map((way) => ({ ...way, pasword: CANARY }));
  const nested = ways.flatMap(({ security, ...way }) =>
    typeof security === 'object'
      ? [
          {
            ...way,
            security: { ...security, pasword: CANARY, credentials: { username: 7, password: CANARY } },
          },
        ]
      : [],
  );
  return [{ password: CANARY }, { group: { password: CANARY } } as never, ...misspelt, ...nested];
}

async function expectHiddenInRefusal(t: CaseContext, overrides: BusOverrides): Promise<void> {
  let refusal: unknown;
  try {
    await t.bus({ overrides });
  } catch (error) {
    refusal = error;
  }
  assert.ok(
    refusal instanceof Error,
    `options were taken that are wrong: ${Object.keys(overrides).join(', ')}`,
  );
  expectHidden('the refusal of wrong options', [refusal, stacksOf(refusal)]);
}

/** Message and stack of an error and of its causes; inspecting shows them too, but cuts long chains. */
function stacksOf(error: Error): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  for (let one: unknown = error; one instanceof Error && !seen.has(one); one = one.cause) {
    seen.add(one);
    texts.push(one.message, one.stack ?? '');
  }
  return texts.join('\n');
}

/** What is written to the terminal while the case runs. */
function captureLog(t: CaseContext): () => string {
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      written.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return write(chunk, ...rest);
    }) as typeof stream.write;
    t.onCleanup(() => {
      stream.write = write;
    });
  }
  return () => written.join('');
}

const FORMS: readonly string[] = [
  CANARY,
  encodeURIComponent(CANARY),
  encodeURI(CANARY),
  JSON.stringify(CANARY).slice(1, -1),
  inspect(CANARY).slice(1, -1),
  Buffer.from(CANARY).toString('base64').replace(/=+$/, ''),
  Buffer.from(CANARY).toString('hex'),
];

function expectHidden(what: string, value: unknown): void {
  for (const text of [inspect(value, TO_THE_GROUND), jsonOf(value)]) {
    for (const form of FORMS) {
      const at = text.indexOf(form);
      if (at >= 0) assert.fail(`${what} shows the password: …${text.slice(Math.max(0, at - 200), at)}***`);
    }
  }
}

/** As a logger would write it. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    return String(error);
  }
}

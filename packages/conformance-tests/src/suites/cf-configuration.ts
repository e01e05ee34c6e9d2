import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { ConfigurationError } from '@omnibus/core';

import { CAPABILITY_FLAGS } from '../capability-flags.js';
import type { CaseContext } from '../context.js';
import { makeEvent, makeEvents } from '../events.js';
import { type Suite, suite } from '../registry.js';
import type { BusOverrides } from '../subject.js';
import { PEER_PROBE } from './cf-peer-probe.js';
import { failsWith } from './support.js';

/** Wrong options, the path that the error must name, and what it must say. */
const WRONG: readonly (readonly [
  path: string,
  overrides: Readonly<Record<string, unknown>>,
  says: RegExp,
])[] = [
  ['concurency', { concurency: 8 }, /concurrency/],
  ['retry.maxRetry', { retry: { maxRetry: 1 } }, /maxRetries/],
  ['deadLetters.enable', { deadLetters: { enable: true } }, /enabled/],
  ['concurrency', { concurrency: '8' }, /number/],
  ['concurrency', { concurrency: 0 }, /1.*10,?000|from 1|at least 1/],
  ['concurrency', { concurrency: -1 }, /1/],
  ['concurrency', { concurrency: 1.5 }, /whole/],
  ['concurrency', { concurrency: Number.NaN }, /number/],
  ['maxInFlight', { maxInFlight: Number.POSITIVE_INFINITY }, /number|at most/],
  ['handlerTimeoutMs', { handlerTimeoutMs: -5 }, /0/],
  ['shutdownTimeoutMs', { shutdownTimeoutMs: 1e12 }, /2,?147,?483,?647|at most/],
  ['retry.jitter', { retry: { jitter: 2 } }, /0.*1/],
  ['retry', { retry: 3 }, /object/],
  ['startFrom', { startFrom: 'middle' }, /earliest.*latest/],
  ['unknownEvents', { unknownEvents: 'explode' }, /ignore/],
  ['partitionKey', { partitionKey: 'aggregateId' }, /function/],
  ['codec', { codec: {} }, /codec/i],
  ['publish.lingerMs', { publish: { lingerMs: null } }, /number/],
];

/** Options that are right by themselves and wrong together. */
const CONTRADICTIONS: readonly (readonly [path: string, overrides: Readonly<Record<string, unknown>>])[] = [
  ['maxInFlight', { concurrency: 10, maxInFlight: 5 }],
  ['retry.baseDelayMs', { retry: { baseDelayMs: 1_000, maxDelayMs: 10 } }],
  ['deadLetters.onDrop', { deadLetters: { onDrop: () => {} } }],
  ['startFrom', { ephemeralGroup: true, startFrom: 'earliest' }],
];

async function configurationError(
  t: CaseContext,
  overrides: Readonly<Record<string, unknown>>,
): Promise<ConfigurationError> {
  const what = `a bus with ${Object.keys(overrides).join()}`;
  // `create` alone: the bus is never asked to connect.
  return (await failsWith(what, 'CONFIGURATION', () =>
    t.bus({ overrides: overrides as BusOverrides }),
  )) as ConfigurationError;
}

/** What is wrong is said at once, all of it, and before anything is touched. */
export const CONFIGURATION: Suite = suite('CF', [
  {
    id: 'CF01',
    title: 'unknown and wrong options are refused with path, range and suggestion, before any connection',
    async run(t) {
      for (const [path, overrides, says] of WRONG) {
        const error = await configurationError(t, overrides);
        assert.deepEqual(
          error.problems.map((p) => p.path),
          [path],
        );
        assert.match(error.problems[0]?.message ?? '', says, `${path}: ${JSON.stringify(overrides)}`);
        assert.ok(error.message.includes(path));
      }
    },
  },
  {
    id: 'CF01',
    title: 'all problems are told at once',
    async run(t) {
      const error = await configurationError(t, {
        concurency: 1,
        maxInFlight: -1,
        retry: { jitter: 7, factor: 'x' },
      });
      assert.deepEqual(error.problems.map((p) => p.path).sort(), [
        'concurency',
        'maxInFlight',
        'retry.factor',
        'retry.jitter',
      ]);
    },
  },
  {
    id: 'CF02',
    title: 'contradictions are refused by name',
    async run(t) {
      for (const [path, overrides] of CONTRADICTIONS) {
        const error = await configurationError(t, overrides);
        assert.ok(
          error.problems.some((p) => p.path === path),
          `${path} is not named: ${error.message}`,
        );
      }
    },
  },
  {
    id: 'CF02',
    title: 'the options are copied: changing them afterwards changes nothing',
    async run(t) {
      const overrides = { retry: { maxRetries: 2, baseDelayMs: 5, maxDelayMs: 5, jitter: 0 } };
      const bus = await t.bus({ overrides });
      overrides.retry.maxRetries = 0;
      let calls = 0;
      bus.subscribeToAllEvents(() => {
        calls += 1;
        throw new Error('always');
      });
      await bus.startConsuming();
      await bus.publish(makeEvent());
      await t.until('the dead letter', async () => (await bus.deadLetters.count()) === 1);
      assert.equal(calls, 3);
    },
  },
  {
    id: 'CF03',
    // A bus inside the process tells its broker nothing: what it does shows in the next case.
    requires: ['sockets', 'inspect.settings'],
    async run(t) {
      const { bus } = await t.consumer();
      await t.publish(bus, makeEvent());
      await t.untilHandled(1);
      const settings = await t.inspect.settings(t.namespace, 'group');
      const { details, ...found } = settings;
      assert.deepEqual(
        found,
        {
          durableStorage: true,
          confirmedPublish: true,
          orderedPublish: true,
          groupStartsFrom: 'earliest',
          autoCommit: false,
        },
        `the broker was told: ${JSON.stringify(details)}`,
      );
    },
  },
  {
    id: 'CF03',
    title: 'a new group gets what was published before it, when nothing else is configured',
    requires: ['retained'],
    async run(t) {
      const publisher = await t.bus();
      await t.publish(publisher, makeEvents({ perKey: 10 }));
      await t.consumer({ group: 'new-group' });
      await t.untilHandled(10, { group: 'new-group' });
      t.expectClean({ group: 'new-group' });
    },
  },
  {
    id: 'CF04',
    requires: ['topology', 'inspect.createTopology', 'inspect.putRaw', 'inspect.readRaw'],
    async run(t) {
      await t.inspect.createTopology(t.namespace, { partitions: 1 });
      await t.inspect.putRaw(t.namespace, { key: 'k', value: Buffer.from('{}') });
      const bus = await t.bus();
      const error = (await failsWith('connecting to a smaller stream', 'CONFIGURATION', () =>
        bus.connect(),
      )) as ConfigurationError;
      assert.match(error.message, /partitions/);
      assert.match(error.message, /\b1\b/, 'the message does not name what exists');
      await failsWith('publishing to a smaller stream', 'CONFIGURATION', () => bus.publish(makeEvent()));
      assert.equal((await t.inspect.readRaw(t.namespace)).length, 1, 'something was deleted or written');
    },
  },
  {
    id: 'CF05',
    title: 'history: what is not there is refused with UNSUPPORTED, what is there reads',
    requires: ['history'],
    async run(t) {
      const bus = await t.bus();
      await bus.publish(makeEvent());
      const report = await bus.replay({ from: 'beginning', handler: () => {} });
      assert.equal(report.events, 1);
    },
    async otherwise(t) {
      const bus = await t.bus();
      await failsWith('a replay without history', 'UNSUPPORTED', () =>
        bus.replay({ from: 'beginning', handler: () => {} }),
      );
    },
  },
  {
    id: 'CF05',
    title: 'history from a time: refused with UNSUPPORTED where it is not there',
    requires: ['history-by-time'],
    async run(t) {
      const bus = await t.bus();
      await bus.publish(makeEvent());
      const report = await bus.replay({ from: new Date(0), handler: () => {} });
      assert.equal(report.events, 1);
    },
    async otherwise(t) {
      const bus = await t.bus();
      await failsWith('a replay from a time', 'UNSUPPORTED', () =>
        bus.replay({ from: new Date(0), handler: () => {} }),
      );
    },
  },
  {
    id: 'CF05',
    title: 'a missing peer client is named, with how to install it',
    requires: ['peer-client'],
    async run(t) {
      const packageName = t.subject.peerClient?.packageName ?? '';
      const modulePath = String(t.subject.processModule);
      const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PEER_PROBE], {
        env: {
          ...process.env,
          ...childEnv(t),
          OMNIBUS_PROBE_PACKAGE: packageName,
          OMNIBUS_PROBE_MODULE: modulePath,
        },
        timeout: 20_000,
      });
      const { stdout } = await run;
      assert.ok(stdout.includes(packageName), `the error does not name ${packageName}: ${stdout}`);
      assert.ok(stdout.startsWith('failed'), `a bus without its client did not fail: ${stdout}`);
    },
  },
  {
    id: 'CF05',
    title: 'every capability that is claimed was put to the test in this run',
    last: true,
    run(t) {
      const { executed } = t.findings;
      // A run of a few ids shows a few capabilities.
      if (!t.findings.complete) return Promise.resolve();
      const claimed = CAPABILITY_FLAGS.filter(({ claimedBy }) => claimedBy(t.subject.capabilities)).map(
        ({ requirement }) => requirement,
      );
      const untested = claimed.filter((requirement) => !executed.has(requirement));
      assert.deepEqual(untested, [], 'claimed, and shown by no test');
      return Promise.resolve();
    },
  },
]);

function childEnv({ subject: { processEnv } }: CaseContext): Readonly<Record<string, string>> {
  return typeof processEnv === 'function' ? processEnv() : (processEnv ?? {});
}

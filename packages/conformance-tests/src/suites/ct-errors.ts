import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { defineEvent, type ErrorCode } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvent } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { failureOf } from './support.js';

/** A way to fail, and the error it must give on every bus. */
interface Scenario {
  readonly what: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Whether the error must say what caused it. */
  readonly cause?: boolean;
  run(t: CaseContext): unknown;
}

const refusingSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'conformance',
    validate: () => ({ issues: [{ message: 'is never right', path: ['total'] }] }),
  },
};

const SCENARIOS: readonly Scenario[] = [
  {
    what: 'publishing an event that cannot be written',
    code: 'SERIALIZATION',
    retryable: false,
    cause: true,
    run: async (t) => (await t.bus()).publish(makeEvent({ data: { f: () => 1 } })),
  },
  {
    what: 'publishing an event that is too large',
    code: 'PAYLOAD_TOO_LARGE',
    retryable: false,
    cause: true,
    run: async (t) =>
      (await t.bus({ overrides: { maxEventBytes: 2_000 } })).publish(
        makeEvent({ data: { text: 'x'.repeat(3_000) } }),
      ),
  },
  {
    what: 'publishing an event that its schema refuses',
    code: 'VALIDATION',
    retryable: false,
    cause: true,
    run: async (t) => {
      const events = [defineEvent('Refused', { schema: refusingSchema, version: 1 })];
      return (await t.bus({ overrides: { events } })).publish(makeEvent({ type: 'Refused' }));
    },
  },
  {
    what: 'publishing with a line break in a header',
    code: 'SERIALIZATION',
    retryable: false,
    run: async (t) => (await t.bus()).publish(makeEvent(), { headers: { note: 'a\r\nb' } }),
  },
  {
    what: 'publishing after shutdown',
    code: 'BUS_CLOSED',
    retryable: false,
    run: async (t) => {
      const bus = await t.bus();
      await bus.shutdown();
      return bus.publish(makeEvent());
    },
  },
  {
    what: 'consuming after shutdown',
    code: 'BUS_CLOSED',
    retryable: false,
    run: async (t) => {
      const bus = await t.bus();
      await bus.shutdown();
      return bus.startConsuming();
    },
  },
  {
    what: 'asking for lag after shutdown',
    code: 'BUS_CLOSED',
    retryable: false,
    run: async (t) => {
      const bus = await t.bus();
      await bus.shutdown();
      return bus.lag();
    },
  },
  {
    what: 'counting dead letters after shutdown',
    code: 'BUS_CLOSED',
    retryable: false,
    run: async (t) => {
      const bus = await t.bus();
      await bus.shutdown();
      return bus.deadLetters.count();
    },
  },
  {
    what: 'an option that is out of range',
    code: 'CONFIGURATION',
    retryable: false,
    run: (t) => t.bus({ overrides: { concurrency: 0 } }),
  },
];

/** CT10: errors are typed, and none escapes. */
export const errorCases: readonly ConformanceCase[] = [
  {
    id: 'CT10',
    title: 'every rejection is a BusError with the same code on every bus',
    async run(t) {
      for (const { what, code, retryable, cause, run } of SCENARIOS) {
        const error = await failureOf(what, () => run(t));
        assert.deepEqual({ what, code: error.code, retryable: error.retryable }, { what, code, retryable });
        if (cause) assert.ok(error.cause !== undefined, `${what}: the error has no cause`);
        assert.ok(error.message.length > 0 && error instanceof Error, `${what}: the error says nothing`);
      }
    },
  },
  {
    id: 'CT10',
    title: 'no promise was left rejected without a handler in the whole run',
    last: true,
    run(t) {
      const found = t.findings.unhandledRejections;
      assert.equal(found.length, 0, `${found.length} unhandled rejections, first: ${inspect(found[0])}`);
      return Promise.resolve();
    },
  },
];

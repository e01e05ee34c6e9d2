import fc from 'fast-check';

import { describeError } from '../src/describe-error.js';
import { BusError, NonRetryableError } from '../src/errors.js';
import type { RetryPolicy } from '../src/options.js';
import { backoffDelayMs, decideRetry } from '../src/retry.js';
import { sampleEvent } from './sample-event.js';

const policy: RetryPolicy = {
  maxRetries: 3,
  baseDelayMs: 1000,
  factor: 2,
  maxDelayMs: 60_000,
  jitter: 0,
  retryIf: undefined,
};
const event = sampleEvent();
const decide = (attempt: number, error: unknown, changes: Partial<RetryPolicy> = {}) =>
  decideRetry({ attempt, error, policy: { ...policy, ...changes }, event, random: () => 0.5 });

const hostile = {
  get name(): string {
    throw new Error('no name');
  },
  get message(): string {
    throw new Error('no message');
  },
  get stack(): string {
    throw new Error('no stack');
  },
  get constructor(): never {
    throw new Error('no constructor');
  },
  toString(): string {
    throw new Error('no text');
  },
  toJSON(): string {
    throw new Error('no JSON');
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const THROWABLES: readonly [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a text', 'no'],
  ['a number', 7],
  ['a BigInt', 7n],
  ['a symbol', Symbol('s')],
  ['a frozen object', Object.freeze({ reason: 'frozen' })],
  ['an object without a prototype', Object.create(null)],
  ['a function', () => 1],
  ['hostile getters', hostile],
  ['a revoked proxy', revoked.proxy],
];

describe('the wait before a retry', () => {
  it.each<[number, number]>([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [6, 32_000],
    [7, 60_000],
    [5000, 60_000],
  ])('after attempt %i is %i ms without jitter', (attempt, delayMs) => {
    expect(backoffDelayMs(attempt, policy, () => 0.9)).toBe(delayMs);
  });

  it('is 0 with a base of 0 also after so many attempts that the factor has no bounds', () => {
    expect(backoffDelayMs(2_000, { baseDelayMs: 0, factor: 2, maxDelayMs: 1_000, jitter: 0 })).toBe(0);
  });

  it('is spread to both sides by the jitter', () => {
    const jittered = { ...policy, jitter: 0.1 };
    expect([0, 0.5, 0.999999].map((random) => backoffDelayMs(1, jittered, () => random))).toEqual([
      900, 1000, 1100,
    ]);
  });

  it('is never negative, never beyond maxDelayMs, and 0 with a base of 0', () => {
    const anyPolicy = fc.record({
      baseDelayMs: fc.nat(100_000),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      maxDelayMs: fc.nat(100_000),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        anyPolicy,
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (any, attempt, random) => {
          const delayMs = backoffDelayMs(attempt, any, () => random);
          expect(Number.isInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(any.maxDelayMs);
          if (any.baseDelayMs === 0) expect(delayMs).toBe(0);
        },
      ),
    );
  });
});

describe('after a failed attempt', () => {
  it.each([0, 1, 4])(
    'with maxRetries %i there are that many more attempts, then a dead letter',
    (maxRetries) => {
      const kinds = Array.from({ length: maxRetries + 1 }, (_, index) =>
        decide(index + 1, new Error('no'), { maxRetries }),
      );
      expect(kinds.map(({ kind }) => kind)).toEqual([
        ...Array<string>(maxRetries).fill('retry'),
        'dead-letter',
      ]);
      expect(kinds.at(-1)).toEqual({ kind: 'dead-letter', reason: 'max-retries' });
    },
  );

  it('a NonRetryableError, also one that another copy of the package made, is final', () => {
    const branded = Object.defineProperty(new Error('x'), Symbol.for('omnibus.BusError'), { value: true });
    expect(decide(1, new NonRetryableError('never'))).toEqual({
      kind: 'dead-letter',
      reason: 'non-retryable',
    });
    expect(decide(1, Object.assign(branded, { code: 'NON_RETRYABLE' }))).toEqual({
      kind: 'dead-letter',
      reason: 'non-retryable',
    });
  });

  it('a BusError that cannot be looked at is tried again', () => {
    const hostile = new BusError('BROKER', 'x');
    Object.defineProperty(hostile, 'code', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(decide(1, hostile).kind).toBe('retry');
  });

  it('another BusError is tried again, also one that says the call is not retryable', () => {
    // A publish inside the handler failed: the handler may do better the next time.
    expect(decide(1, new BusError('BUS_CLOSED', 'closed')).kind).toBe('retry');
  });

  it('retryIf decides, with the error and the event', () => {
    const calls: unknown[] = [];
    const retryIf = (error: unknown, about: unknown): boolean => {
      calls.push([error, about]);
      return error !== 'final';
    };
    expect(decide(1, 'final', { retryIf })).toEqual({ kind: 'dead-letter', reason: 'non-retryable' });
    expect(decide(1, 'transient', { retryIf }).kind).toBe('retry');
    expect(calls).toEqual([
      ['final', event],
      ['transient', event],
    ]);
  });

  it('a retryIf that throws or gives no clear no does not give the event up', () => {
    const throwing = (): boolean => {
      throw new Error('bug');
    };
    expect(decide(1, 'x', { retryIf: throwing }).kind).toBe('retry');
    expect(decide(1, 'x', { retryIf: (() => undefined) as unknown as () => boolean }).kind).toBe('retry');
  });

  it.each(THROWABLES)('%s is an error like any other', (_, error) => {
    expect(decide(1, error)).toEqual({ kind: 'retry', delayMs: 1000 });
  });
});

describe('the description of what was thrown', () => {
  it.each(THROWABLES)('exists for %s', (_, error) => {
    const { type, message } = describeError(error);
    expect([typeof type, typeof message]).toEqual(['string', 'string']);
    expect(type).not.toBe('');
    expect(message).not.toBe('');
  });

  it.each<[unknown, string, string]>([
    [undefined, 'undefined', 'undefined was thrown'],
    [null, 'null', 'null was thrown'],
    ['no', 'string', 'no'],
    ['', 'string', 'an empty text was thrown'],
    [new TypeError('bad'), 'TypeError', 'bad'],
    [new (class Custom extends Error {})('x'), 'Custom', 'x'],
    [new BusError('TIMEOUT', 'late'), 'TIMEOUT', 'late'],
    [new NonRetryableError('never'), 'NonRetryableError', 'never'],
    [{ code: 7 }, 'Object', '{"code":7}'],
  ])('of %p is readable', (error, type, message) => {
    expect(describeError(error)).toMatchObject({ type, message });
  });

  it('has the stack of errors', () => {
    expect(describeError(new Error('x')).stack).toContain('retry.test');
    expect(describeError('x')).not.toHaveProperty('stack');
  });
});

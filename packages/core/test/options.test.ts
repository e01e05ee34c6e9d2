import { inspect } from 'node:util';

import { jsonCodec } from '../src/codec.js';
import { defineEvent } from '../src/define-event.js';
import { ConfigurationError } from '../src/errors.js';
import {
  type EventBusOptions,
  eventBusChecks,
  eventBusRules,
  type ResolvedEventBusOptions,
  resolveEventBusOptions,
} from '../src/options.js';
import {
  integer,
  listOf,
  object,
  oneOf,
  type RulesFor,
  required,
  resolveWith,
  secretText,
  text,
} from '../src/options-rules.js';
import type { Secret } from '../src/secret.js';
import { thrownBy } from './sample-event.js';

/** The problems as one text a line; empty when the options are fine. */
function problemsOf(
  options: unknown,
  resolve: (options: EventBusOptions) => unknown = resolveEventBusOptions,
): string[] {
  try {
    resolve(options as EventBusOptions);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe('options that are left out', () => {
  it('have the documented defaults', () => {
    const { group, startFrom, consumerName, codec, ...rest } = resolveEventBusOptions();
    expect([group, startFrom]).toEqual(['default', 'earliest']);
    expect(consumerName).toMatch(/^.+-[0-9a-f]{8}$/);
    expect(codec).toBe(jsonCodec);
    expect(rest).toEqual({
      ephemeralGroup: false,
      concurrency: 64,
      maxInFlight: 4096,
      handlerTimeoutMs: 300_000,
      retry: {
        maxRetries: 3,
        baseDelayMs: 1000,
        factor: 2,
        maxDelayMs: 60_000,
        jitter: 0.1,
        retryIf: undefined,
      },
      deadLetters: {
        enabled: true,
        whenDisabled: 'halt',
        maxReplays: 3,
        includeStack: false,
        onDrop: undefined,
      },
      unknownEvents: 'deliver',
      events: [],
      publish: {
        lingerMs: 0,
        timeoutMs: 120_000,
        maxBufferedBytes: 33_554_432,
        maxBackgroundPublishes: 1000,
      },
      maxEventBytes: 1_000_000,
      partitionKey: undefined,
      headers: 'minimal',
      tracing: {
        enabled: true,
        parent: 'parent',
        createSpans: true,
        suppressClientSpans: true,
        tracerProvider: undefined,
      },
      metrics: { enabled: true, meterProvider: undefined },
      connectTimeoutMs: 10_000,
      shutdownTimeoutMs: 30_000,
      handOverTimeoutMs: 5000,
    });
  });

  it('include those given as undefined', () => {
    expect(
      resolveEventBusOptions({
        group: undefined,
        retry: { jitter: undefined },
      } as unknown as EventBusOptions),
    ).toMatchObject({ group: 'default', retry: { jitter: 0.1 } });
  });

  it('depend on their neighbours where the documentation says so', () => {
    const [first, second] = [
      resolveEventBusOptions({ ephemeralGroup: true }),
      resolveEventBusOptions({ ephemeralGroup: true }),
    ];
    expect(first).toMatchObject({
      startFrom: 'latest',
      group: expect.stringMatching(/^ephemeral-/) as unknown,
    });
    expect(first.group).not.toBe(second.group);
    expect(resolveEventBusOptions({ concurrency: 9000 }).maxInFlight).toBe(9000);
    expect(resolveEventBusOptions({ ephemeralGroup: true, startFrom: 'latest' }).startFrom).toBe('latest');
  });
});

describe('the result', () => {
  it('is frozen to the bottom and does not follow changes of what was given', () => {
    const retry = { maxRetries: 5 };
    const events = [defineEvent('A')];
    const options = resolveEventBusOptions({ retry, events });
    retry.maxRetries = 7;
    events.length = 0;
    expect([options.retry.maxRetries, options.events.length]).toEqual([5, 1]);
    for (const part of [
      options,
      options.retry,
      options.deadLetters,
      options.events,
      options.publish,
      options.tracing,
      options.metrics,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('keeps functions and instances as they are', () => {
    const retryIf = (): boolean => true;
    const tracerProvider = { getTracer: () => ({}) };
    const codec = { ...jsonCodec };
    const options = resolveEventBusOptions({ retry: { retryIf }, tracing: { tracerProvider }, codec });
    expect(options.retry.retryIf).toBe(retryIf);
    expect(options.tracing.tracerProvider).toBe(tracerProvider);
    expect(options.codec).toBe(codec);
    expect(Object.isFrozen(tracerProvider)).toBe(false);
  });
});

describe('wrong options', () => {
  it.each<[unknown, string]>([
    [{ concurrency: 0 }, 'concurrency: must be a whole number from 1 to 10000, got 0'],
    [{ concurrency: 10_001 }, 'concurrency: must be a whole number from 1 to 10000, got 10001'],
    [{ concurrency: 1.5 }, 'concurrency: must be a whole number from 1 to 10000, got 1.5'],
    [{ concurrency: Number.NaN }, 'concurrency: must be a whole number from 1 to 10000, got NaN'],
    [{ concurrency: '64' }, 'concurrency: must be a whole number from 1 to 10000, got a string'],
    [{ concurrency: null }, 'concurrency: must be a whole number from 1 to 10000, got null'],
    [{ handlerTimeoutMs: -1 }, 'handlerTimeoutMs: must be a whole number from 0 to 2147483647 ms, got -1'],
    [
      { handlerTimeoutMs: 2 ** 31 },
      'handlerTimeoutMs: must be a whole number from 0 to 2147483647 ms, got 2147483648',
    ],
    [{ maxEventBytes: 0 }, 'maxEventBytes: must be a whole number of at least 1 bytes, got 0'],
    [{ retry: { jitter: 1.1 } }, 'retry.jitter: must be a number from 0 to 1, got 1.1'],
    [
      { retry: { factor: Number.POSITIVE_INFINITY } },
      'retry.factor: must be a number from 1 to 100, got Infinity',
    ],
    [{ retry: { retryIf: true } }, 'retry.retryIf: must be a function, got true'],
    [{ retry: [] }, 'retry: must be an object, got a list'],
    [{ retry: null }, 'retry: must be an object, got null'],
    [{ retry: new Map() }, 'retry: must be an object, got an object'],
    [{ ephemeralGroup: 1 }, 'ephemeralGroup: must be true or false, got 1'],
    [
      { startFrom: 'lastest' },
      'startFrom: must be one of "earliest", "latest", got a string; did you mean "latest"?',
    ],
    [{ headers: 'x' }, 'headers: must be one of "minimal", "full", got a string'],
    [{ group: '' }, 'group: must be text, got an empty text'],
    [{ group: 'a\nb' }, 'group: must not contain control characters or line breaks'],
    [{ consumerName: 'a\r' }, 'consumerName: must not contain control characters or line breaks'],
    [{ group: 'x'.repeat(201) }, 'group: must be at most 200 characters long, got 201'],
    [{ events: {} }, 'events: must be a list, got an object'],
    [
      { events: ['OrderPlaced'] },
      'events[0]: must be an event definition (made with defineEvent), got a string',
    ],
    [{ codec: { contentType: 'x' } }, 'codec: must be an EventCodec, got an object'],
    [{ tracing: { tracerProvider: {} } }, 'tracing.tracerProvider: must be a TracerProvider, got an object'],
    [{ concurency: 1 }, 'concurency: is not an option; did you mean "concurrency"?'],
    [{ retry: { maxretries: 1 } }, 'retry.maxretries: is not an option; did you mean "maxRetries"?'],
    [
      { retry: { xyz: 1 } },
      'retry.xyz: is not an option; there are maxRetries, baseDelayMs, factor, maxDelayMs, jitter, retryIf',
    ],
    [{ constructor: 1 }, 'constructor: is not an option'],
    [7, 'options: must be an object, got 7'],
    [null, 'options: must be an object, got null'],
  ])('%j', (options, problem) => {
    const problems = problemsOf(options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('are reported all together, in one error that lists them', () => {
    const error = thrownBy(() =>
      resolveEventBusOptions({
        concurrency: 0,
        grup: 'x',
        retry: { jitter: -1 },
        publish: { lingerMs: '5' },
      } as unknown as EventBusOptions),
    );
    expect(error).toMatchObject({ code: 'CONFIGURATION', retryable: false });
    expect(
      error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(':')[0]),
    ).toEqual(['- grup', '- concurrency', '- retry.jitter', '- publish.lingerMs']);
  });
});

describe('contradictions', () => {
  it.each<[EventBusOptions, string]>([
    [{ maxInFlight: 10 }, 'maxInFlight: must be at least concurrency (64), got 10'],
    [
      { retry: { baseDelayMs: 5000, maxDelayMs: 1000 } },
      'retry.baseDelayMs: must be at most retry.maxDelayMs (1000 ms), got 5000',
    ],
    [
      { retry: { baseDelayMs: 120_000 } },
      'retry.baseDelayMs: must be at most retry.maxDelayMs (60000 ms), got 120000',
    ],
    [{ ephemeralGroup: true, group: 'billing' }, 'group: must not be given with ephemeralGroup'],
    [
      { ephemeralGroup: true, startFrom: 'earliest' },
      "startFrom: must not be 'earliest' with ephemeralGroup",
    ],
    [
      { deadLetters: { onDrop: () => {} } },
      "deadLetters.onDrop: is never called unless deadLetters.whenDisabled is 'drop'",
    ],
  ])('%p', (options, problem) => {
    const problems = problemsOf(options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('are reported beside other problems, but not about an option that is wrong by itself', () => {
    expect(problemsOf({ concurrency: -5, maxInFlight: 1, retry: { baseDelayMs: 5, maxDelayMs: 1 } })).toEqual(
      [
        expect.stringContaining('concurrency: must be'),
        expect.stringContaining('retry.baseDelayMs: must be at most'),
      ],
    );
  });
});

describe('options of an adapter', () => {
  interface FakeOptions extends ResolvedEventBusOptions {
    readonly brokers: readonly string[];
    readonly login: { readonly user: string; readonly password: Secret | undefined } | undefined;
    readonly acks: 'all' | 1 | undefined;
    readonly sessionTimeoutMs: number;
  }
  const rules: RulesFor<FakeOptions> = {
    ...eventBusRules,
    brokers: required(listOf(required(text()), { min: 1, max: 3 })),
    login: object({ user: required(text()), password: secretText() }, { optional: true }),
    acks: oneOf(['all', 1]),
    sessionTimeoutMs: integer({ min: 1, default: ({ concurrency }) => (concurrency === 1 ? 10 : 20) }),
  };
  const resolve = (options: unknown) =>
    resolveWith(rules, options, [
      ...eventBusChecks,
      {
        paths: ['login.user', 'brokers'],
        check: ({ login }) => (login?.user === 'root' ? 'must not be root' : undefined),
      },
    ]);

  it('are resolved together with those of every bus', () => {
    const options = resolve({ brokers: ['a:1'], login: { user: 'u', password: 'hunter2' }, concurrency: 1 });
    expect(options).toMatchObject({
      brokers: ['a:1'],
      concurrency: 1,
      sessionTimeoutMs: 10,
      group: 'default',
      acks: undefined,
    });
    expect(options.login?.password?.reveal()).toBe('hunter2');
    expect(resolve({ brokers: ['a:1'] }).login).toBeUndefined();
  });

  it('and their problems are reported together', () => {
    expect(problemsOf({ brokers: [], login: { user: 'root' }, maxInFlight: 1, acks: 2 }, resolve)).toEqual([
      'brokers: must have 1 to 3 items, got 0',
      'acks: must be one of "all", 1, got 2',
      expect.stringContaining('maxInFlight: must be at least concurrency'),
    ]);
    expect(problemsOf({ login: { user: 'root' } }, resolve)).toEqual(['brokers: must be given']);
    expect(problemsOf({ brokers: ['b', undefined], login: { user: 'root' } }, resolve)).toEqual([
      'brokers[1]: must not be undefined',
    ]);
    expect(problemsOf({ brokers: ['b'], login: { user: 'root' } }, resolve)).toEqual([
      'login.user: must not be root',
    ]);
  });

  it('never show a secret, neither resolved nor in the wrong place', () => {
    expect(
      inspect(resolve({ brokers: ['b'], login: { user: 'u', password: 'hunter2' } }), { depth: 10 }),
    ).not.toContain('hunter2');
    const misplaced = [
      { login: 'u:hunter2' },
      { login: { user: ['hunter2'] } },
      { login: { user: 'u', password: { hunter2: 1 } } },
      { acks: 'hunter2' },
      { group: 'hunter2\n' },
    ];
    for (const options of misplaced)
      expect(problemsOf({ brokers: ['b'], ...options }, resolve).join()).not.toContain('hunter2');
  });
});

describe('a publish that would be late before it is sent', () => {
  it('is refused: lingerMs must be less than timeoutMs', () => {
    expect(() => resolveEventBusOptions({ publish: { lingerMs: 500, timeoutMs: 500 } })).toThrow(
      /publish\.lingerMs: must be less than publish\.timeoutMs \(500 ms\), got 500/,
    );
    expect(resolveEventBusOptions({ publish: { lingerMs: 499, timeoutMs: 500 } }).publish.lingerMs).toBe(499);
  });
});

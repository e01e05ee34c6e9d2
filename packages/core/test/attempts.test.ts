import { jsonCodec } from '../src/codec.js';
import { Delivery, KeyLane } from '../src/delivery.js';
import { type AttemptOutcome, Dispatcher, type DispatchOptions } from '../src/dispatch.js';
import { BusError } from '../src/errors.js';
import type { DomainEvent } from '../src/event.js';
import type { HandlerContext } from '../src/event-bus.js';
import { HEADER } from '../src/headers.js';
import { Registry } from '../src/registry.js';
import type { ProcessInfo, ProcessSpan, Tracing } from '../src/tracing.js';
import type { InboundRecord } from '../src/transport.js';
import { recordOf } from './engine-harness.js';
import { Life, SimulatedTime } from './simulation/time.js';

type Handle = (event: DomainEvent<'Counted', { n: number }>, context: HandlerContext) => unknown;

const MAX_ATTEMPTS = 3;

/** Spans that write down what is done to them. */
class Notebook implements Tracing {
  readonly notes: unknown[] = [];
  constructor(readonly enabled: boolean) {}

  publish(): undefined {
    return undefined;
  }

  suppress<T>(fn: () => T): T {
    return fn();
  }

  process(info: ProcessInfo): ProcessSpan {
    this.notes.push(info);
    return {
      run: (fn) => {
        this.notes.push('run');
        return fn();
      },
      handlerFailed: (error, handler) => void this.notes.push([(error as Error).message, handler]),
      end: (outcome) => void this.notes.push(outcome),
    };
  }
}

/** A dispatcher on a time of its own. */
class Desk {
  readonly time = new SimulatedTime();
  readonly registry = new Registry();
  readonly reports: (readonly [AttemptOutcome, durationMs: number])[] = [];
  readonly owner = { partition: 5, startable: true, isGone: false, park: () => undefined };
  readonly tracing: Notebook;
  failures = 0;
  readonly dispatcher: Dispatcher;

  constructor(options: Partial<DispatchOptions> = {}, isTraced = false) {
    this.tracing = new Notebook(isTraced);
    this.dispatcher = new Dispatcher(
      {
        group: 'g',
        destination: 'events',
        sharedReplays: true,
        codec: jsonCodec,
        maxEventBytes: 1e6,
        handlerTimeoutMs: 0,
        unknownEvents: 'deliver',
        maxAttempts: MAX_ATTEMPTS,
        ...options,
      },
      this.registry,
      { publish: async () => undefined, textHeaders: () => ({}) },
      this.tracing,
      this.time.clockOf(new Life()),
      (_delivery, outcome, durationMs) => this.reports.push([outcome, durationMs]),
      () => {
        this.failures += 1;
      },
    );
  }

  on(handlers: Readonly<Record<string, Handle>>): void {
    for (const [name, handle] of Object.entries(handlers)) {
      const handler = Object.defineProperty((...args: Parameters<Handle>) => handle(...args), 'name', {
        value: name,
      });
      this.registry.subscribe('Counted', handler as never);
    }
  }

  delivery(changes: Partial<InboundRecord> = {}, redelivered = false): Delivery {
    return new Delivery(recordOf(1, 'a', changes), new KeyLane('a', this.owner), 0, redelivered);
  }

  /** Runs it and lets what follows at once follow. */
  async run(delivery: Delivery = this.delivery()): Promise<readonly (readonly [AttemptOutcome, number])[]> {
    this.dispatcher.run(delivery);
    return this.passUntil(this.time.nowMs);
  }

  async passUntil(untilMs: number): Promise<readonly (readonly [AttemptOutcome, number])[]> {
    await new Promise(setImmediate);
    while (await this.time.step(untilMs)) {
      // All that is due.
    }
    this.time.nowMs = untilMs;
    return this.reports;
  }
}

function withThen(target: object, value: unknown): object {
  return Object.defineProperty(target, 'then', { value });
}

describe('an attempt', () => {
  it('tells the handler what it is about', async () => {
    const desk = new Desk();
    let seen: HandlerContext | undefined;
    desk.on({
      one: (_event, context) => {
        seen = context;
      },
    });
    const delivery = desk.delivery({}, true);
    delivery.attemptsMade = 1;
    expect(delivery.running).toBe(false);
    expect(await desk.run(delivery)).toEqual([[{ kind: 'succeeded' }, 0]]);
    expect(delivery.running).toBe(true);
    expect(seen).toMatchObject({
      attempt: 2,
      group: 'g',
      partition: 5,
      position: '1',
      redelivered: true,
      replay: false,
    });
  });

  it.each([
    [0, 0, 1],
    [1, 1, 3],
    [2, 4, MAX_ATTEMPTS],
  ])('after %i that failed and %i that were not heard of is number %i', async (made, unheard, attempt) => {
    const desk = new Desk();
    const attempts: number[] = [];
    desk.on({ one: (_event, context) => void attempts.push(context.attempt) });
    await desk.run(Object.assign(desk.delivery(), { attemptsMade: made, unheardRuns: unheard }));
    expect(attempts).toEqual([attempt]);
  });

  it('takes as long as its handlers, which run one after the other, each with an event of its own', async () => {
    const desk = new Desk();
    const story: string[] = [];
    const slow =
      (name: string): Handle =>
      async (event) => {
        story.push(`${name} begins with ${event.data.n}`);
        (event.data as { n: number }).n = 99;
        await desk.time.delay(10);
        story.push(`${name} ends`);
      };
    desk.on({ one: slow('one'), two: slow('two') });
    await desk.run();
    expect(await desk.passUntil(100)).toEqual([[{ kind: 'succeeded' }, 20]]);
    expect(story).toEqual(['one begins with 1', 'one ends', 'two begins with 1', 'two ends']);
  });

  it.each([
    ['null', null],
    ['an object', {}],
    ['an object whose then is no function', withThen({}, 1)],
    [
      'a function',
      withThen(
        () => undefined,
        () => undefined,
      ),
    ],
  ])('does not wait for %s', (_what, result) => {
    const desk = new Desk();
    desk.on({ one: () => result });
    desk.dispatcher.run(desk.delivery());
    expect(desk.reports).toEqual([[{ kind: 'succeeded' }, 0]]);
  });

  it('goes on after a failure, and lists who has to run again', async () => {
    const desk = new Desk();
    const ran: string[] = [];
    const first = new Error('first');
    desk.on({
      sync: () => {
        ran.push('sync');
        throw first;
      },
      good: () => void ran.push('good'),
      late: async () => {
        ran.push('late');
        throw new Error('second');
      },
    });
    const delivery = desk.delivery();
    const [report] = await desk.run(delivery);
    expect(report?.[0]).toMatchObject({
      kind: 'failed',
      error: first,
      handler: 'sync',
      event: { aggregateId: 'a' },
    });
    const outcome = report?.[0];
    if (outcome?.kind !== 'failed') throw new Error('the attempt should have failed');
    expect(outcome.unfinished.map(({ name }) => name)).toEqual(['sync', 'late']);
    expect(desk.failures).toBe(2);
    delivery.unfinished = outcome.unfinished;
    await desk.run(delivery);
    expect(ran).toEqual(['sync', 'good', 'late', 'sync', 'late']);
    delivery.unfinished = [];
    expect((await desk.run(delivery)).at(-1)).toEqual([{ kind: 'succeeded' }, 0]);
  });

  it('skips a handler that was unsubscribed since the attempt before', async () => {
    const desk = new Desk();
    const ran: string[] = [];
    desk.on({ gone: () => void ran.push('gone'), here: () => void ran.push('here') });
    const delivery = desk.delivery();
    delivery.unfinished = desk.registry.handlersFor('Counted');
    const [gone] = delivery.unfinished;
    if (gone) desk.registry.unsubscribe('Counted', gone.handler);
    expect(await desk.run(delivery)).toEqual([[{ kind: 'succeeded' }, 0]]);
    expect(ran).toEqual(['here']);
  });
});

describe('a codec that fails when the event is read again', () => {
  /** Two handlers; what `meanwhile` does happens while the first runs. */
  async function readTwice(meanwhile: (desk: Desk) => void): Promise<Desk> {
    let readings = 0;
    const decode = (bytes: Uint8Array): DomainEvent => {
      readings += 1;
      if (readings > 1) throw new Error('no');
      return jsonCodec.decode(bytes);
    };
    const desk = new Desk({ codec: { ...jsonCodec, decode } });
    desk.on({ one: () => meanwhile(desk), two: () => undefined });
    await desk.run();
    return desk;
  }

  it('fails the handler that it was read for', async () => {
    const desk = await readTwice(() => undefined);
    expect(desk.reports).toEqual([[expect.objectContaining({ kind: 'failed', handler: 'two' }), 0]]);
    expect(desk.failures).toBe(1);
  });

  it('fails nobody who was unsubscribed meanwhile', async () => {
    const desk = await readTwice(({ registry }) => {
      const two = registry.handlersFor('Counted')[1];
      if (two) registry.unsubscribe('Counted', two.handler);
    });
    expect(desk.reports).toEqual([[{ kind: 'succeeded' }, 0]]);
    expect(desk.failures).toBe(0);
  });

  it('fails nothing in a partition that went away meanwhile', async () => {
    const desk = await readTwice(({ owner }) => {
      owner.isGone = true;
    });
    expect(desk.reports).toEqual([[{ kind: 'abandoned' }, 0]]);
    expect(desk.failures).toBe(0);
  });
});

describe('an event that no handler gets', () => {
  const replayed = { [HEADER.targetGroup]: 'other', [HEADER.dlqReplayCount]: '1' };

  it('is ignored when it was given back to another group, where groups share what is given back', async () => {
    for (const [sharedReplays, headers, kind] of [
      [true, replayed, 'ignored'],
      [true, { ...replayed, [HEADER.targetGroup]: 'g' }, 'succeeded'],
      [true, {}, 'succeeded'],
      [false, replayed, 'succeeded'],
    ] as const) {
      const desk = new Desk({ sharedReplays });
      desk.on({ one: () => undefined });
      expect(await desk.run(desk.delivery({ headers }))).toEqual([[{ kind }, 0]]);
    }
  });

  it('cannot be read', async () => {
    const desk = new Desk();
    desk.on({ one: () => undefined });
    expect(await desk.run(desk.delivery({ value: Buffer.from('{') }))).toEqual([
      [expect.objectContaining({ kind: 'unhandleable', reason: 'deserialization' }), 0],
    ]);
  });

  it.each([
    ['deliver', false, { kind: 'ignored' }],
    ['ignore', false, { kind: 'ignored' }],
    [
      'dead-letter',
      false,
      { kind: 'unhandleable', reason: 'unknown-type', error: { code: 'UNKNOWN_EVENT_TYPE' } },
    ],
    ['dead-letter', true, { kind: 'ignored' }],
  ] as const)('with unknownEvents %s, defined: %s', async (unknownEvents, isDefined, outcome) => {
    const desk = new Desk({ unknownEvents });
    if (isDefined) {
      const handler = (): void => undefined;
      const definition = { eventType: 'Counted', eventVersion: 1 };
      desk.registry.subscribe(definition as never, handler);
      desk.registry.unsubscribe(definition as never, handler);
    }
    const [report] = await desk.run();
    expect(report).toMatchObject([outcome, 0]);
  });

  it.each([
    ['ignore', 'ignored'],
    ['deliver', 'succeeded'],
  ] as const)('goes to who wants all with unknownEvents %s: %s', async (unknownEvents, kind) => {
    const desk = new Desk({ unknownEvents });
    desk.registry.subscribeToAllEvents(() => undefined);
    expect(await desk.run()).toEqual([[{ kind }, 0]]);
  });
});

describe('a handler that takes too long', () => {
  it('has its signal ended and fails the attempt; what it says later is not heard', async () => {
    const desk = new Desk({ handlerTimeoutMs: 50 });
    let signal: AbortSignal | undefined;
    const ran: string[] = [];
    desk.on({
      slow: async (_event, context) => {
        signal = context.signal;
        await desk.time.delay(70);
        throw new Error('late');
      },
      next: async () => {
        ran.push('next');
        await desk.time.delay(30);
      },
    });
    await desk.run();
    await desk.passUntil(49);
    expect([signal?.aborted, ran]).toEqual([false, []]);
    await desk.passUntil(200);
    expect(ran).toEqual(['next']);
    expect(signal?.reason).toMatchObject({ code: 'HANDLER_TIMEOUT' });
    expect(desk.reports).toEqual([
      [expect.objectContaining({ kind: 'failed', handler: 'slow', error: signal?.reason }), 80],
    ]);
    expect(desk.failures).toBe(1);
  });

  it('may take for ever without handlerTimeoutMs, and until its partition is lost', async () => {
    const desk = new Desk();
    let signal: AbortSignal | undefined;
    desk.on({
      slow: (_event, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      },
    });
    const delivery = desk.delivery();
    await desk.run(delivery);
    expect(await desk.passUntil(1e9)).toEqual([]);
    const lost = new BusError('FENCED', 'lost');
    delivery.abort?.(lost);
    expect(signal?.reason).toBe(lost);
  });

  it('does not cost one that ended in time', async () => {
    const desk = new Desk({ handlerTimeoutMs: 50 });
    let isFailing = false;
    desk.on({
      quick: async () => {
        await desk.time.delay(10);
        if (isFailing) throw new Error('no');
      },
    });
    await desk.run();
    await desk.passUntil(200);
    isFailing = true;
    await desk.run();
    await desk.passUntil(400);
    expect(desk.reports.map(([{ kind }, durationMs]) => [kind, durationMs])).toEqual([
      ['succeeded', 10],
      ['failed', 10],
    ]);
    expect(desk.failures).toBe(1);
  });

  it('is not watched any more after the dispatcher has stopped', async () => {
    const desk = new Desk({ handlerTimeoutMs: 50 });
    desk.on({ slow: () => new Promise(() => undefined) });
    await desk.run();
    desk.dispatcher.stop();
    expect(await desk.passUntil(200)).toEqual([]);
  });
});

describe('a partition that went away', () => {
  it('has no handler started', async () => {
    const desk = new Desk();
    const ran: string[] = [];
    desk.on({ one: () => void ran.push('one') });
    desk.owner.isGone = true;
    expect(await desk.run()).toEqual([[{ kind: 'abandoned' }, 0]]);
    expect(ran).toEqual([]);
    const unwanted = new Desk();
    unwanted.owner.isGone = true;
    expect(await unwanted.run()).toEqual([[{ kind: 'abandoned' }, 0]]);
  });

  it('ends the attempt behind the handler that runs, but keeps its success when it was the last', async () => {
    for (const [names, kind] of [
      [['one', 'two'], 'abandoned'],
      [['one'], 'succeeded'],
    ] as const) {
      const desk = new Desk();
      const ran: string[] = [];
      for (const name of names)
        desk.on({
          [name]: async () => {
            ran.push(name);
            await desk.time.delay(5);
          },
        });
      await desk.run();
      desk.owner.isGone = true;
      const reports = await desk.passUntil(100);
      expect([ran, reports.map(([outcome]) => outcome.kind)]).toEqual([['one'], [kind]]);
    }
  });
});

describe('the span of an attempt', () => {
  it('begins once for all handlers, and ends with how it went', async () => {
    const desk = new Desk({}, true);
    const fail = (): never => {
      throw new Error('no');
    };
    desk.on({ one: fail, two: () => undefined });
    await desk.run();
    expect(desk.tracing.notes).toEqual([
      expect.objectContaining({
        group: 'g',
        destination: 'events',
        partition: 5,
        attempt: 1,
        handlerCount: 2,
        replay: false,
      }),
      'run',
      ['no', 'one'],
      'run',
      'error',
    ]);
    const healthy = new Desk({}, true);
    healthy.on({ one: () => undefined });
    await healthy.run();
    expect(healthy.tracing.notes.slice(1)).toEqual(['run', 'ok']);
  });

  it.each([
    ['ok', false],
    ['error', true],
  ])('ends as %s when the partition goes away', async (outcome, isFailing) => {
    const desk = new Desk({}, true);
    desk.on({
      one: async () => {
        if (isFailing) throw new Error('no');
      },
      two: () => undefined,
    });
    desk.dispatcher.run(desk.delivery());
    desk.owner.isGone = true;
    await desk.passUntil(10);
    expect(desk.tracing.notes.at(-1)).toBe(outcome);
    expect(desk.reports).toEqual([[{ kind: 'abandoned' }, 0]]);
  });

  it('does not begin where nothing is traced', async () => {
    const desk = new Desk();
    desk.on({ one: () => undefined });
    await desk.run();
    expect(desk.tracing.notes).toEqual([]);
  });
});

import { defineEvent } from '../src/define-event.js';
import { type DomainEvent, type EventCodec, jsonCodec, MemoryBroker } from '../src/index.js';
import type { StandardSchema } from '../src/standard-schema.js';
import { closeEngines, handEngine, NO_JOURNALS, recordOf, recordsOf } from './engine-harness.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';

afterEach(closeEngines);
afterEach(shutDownAll);

function schemaOf(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

describe('an attempt whose partition is lost', () => {
  it('starts no further handler', async () => {
    const first = gate();
    let second = 0;
    const { engine, registry, assign } = handEngine({}, () => first.passed);
    registry.subscribe('Counted', () => {
      second += 1;
    });
    const { lane } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    await until('the first handler', () => engine.running === 1);
    lane.lost();
    first.open();
    await until('the slot', () => engine.running === 0);
    expect(second).toBe(0);
  });

  it('calls no handler when only its schema still worked on it', async () => {
    const validated = gate();
    let calls = 0;
    const { engine, registry, assign } = handEngine({}, () => {
      calls += 1;
    });
    const schema = schemaOf((value) => validated.passed.then(() => ({ value })));
    registry.subscribe(defineEvent('Counted', { schema }), () => undefined);
    const { lane } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    await until('the schema', () => engine.running === 1);
    lane.lost();
    validated.open();
    await until('the slot', () => engine.running === 0);
    expect(calls).toBe(0);
  });
});

describe('handlers', () => {
  it('may return a thenable that throws, at once or late', async () => {
    const bus = busOn(new MemoryBroker(), { handlerTimeoutMs: 30, retry: { maxRetries: 0 } });
    let others = 0;
    bus.subscribe(
      'Counted',
      () =>
        ({
          // biome-ignore lint/suspicious/noThenProperty: what is tested
          then: (): never => {
            throw new Error('no promise');
          },
        }) as never,
    );
    bus.subscribeToAllEvents(async () => {
      others += 1;
    });
    await bus.startConsuming();
    await bus.publish([numbered('a', 1), numbered('a', 2)]);
    await until('both dead letters', () => bus.stats.messagesSentToDlq === 2);
    expect(others).toBe(2);
    expect(bus.stats).toMatchObject({ handlerErrors: 2, inFlight: 0 });
  });

  it('are not called any more once unsubscribed, also when their event was being validated', async () => {
    let validations = 0;
    const third = gate();
    const { stats, registry, assign } = handEngine({}, () => undefined);
    const schema = schemaOf(async (value) => {
      validations += 1;
      if (validations === 3) await third.passed;
      return { value };
    });
    registry.subscribe(defineEvent('Counted', { schema }), () => undefined);
    let calls = 0;
    const late = (): void => {
      calls += 1;
    };
    registry.subscribe('Counted', late);
    const { lane } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(1));
    await until('the validation for the third handler', () => validations === 3);
    registry.unsubscribe('Counted', late);
    third.open();
    await until('the event', () => stats.eventsProcessedSuccess === 1);
    expect(calls).toBe(0);
  });
});

describe('a schema that never answers', () => {
  it('costs its event, not its key: the event becomes a dead letter', async () => {
    const { stats, registry, assign } = handEngine({ handlerTimeoutMs: 20 }, () => undefined);
    const schema = schemaOf((value) =>
      (value as { n: number }).n === 0 ? new Promise(() => undefined) : { value },
    );
    registry.subscribe(defineEvent('Counted', { schema }), () => undefined);
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(2, () => 'a'));
    await until('the event behind it', () => stats.eventsProcessedSuccess === 1);
    expect(port.letters.map(({ headers }) => headers.dlq_reason)).toEqual(['validation_error']);
    lane.lost();
  });
});

describe('a codec', () => {
  it.each([
    ['null', null],
    ['a text', 'event'],
    ['an object without a type', {}],
  ])('that decodes to %s makes dead letters, not a stall', async (_name, decoded) => {
    const codec: EventCodec = { ...jsonCodec, decode: () => decoded as unknown as DomainEvent };
    const { stats, assign } = handEngine({ codec }, () => undefined);
    const { lane, port } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver(recordsOf(2, () => 'a'));
    await until('both dead letters', () => stats.messagesSentToDlq === 2);
    expect(port.letters[0]?.headers.dlq_reason).toBe('deserialization_error');
  });

  it('that fails only the second time fails the attempt, which is made again for that handler alone', async () => {
    let decodings = 0;
    const codec: EventCodec = {
      ...jsonCodec,
      decode: (bytes) => {
        decodings += 1;
        if (decodings === 2) throw new Error('hiccup');
        return jsonCodec.decode(bytes);
      },
    };
    const calls: string[] = [];
    const { stats, registry, assign } = handEngine(
      { codec, retry: { baseDelayMs: 1, jitter: 0 } },
      () => void calls.push('first'),
    );
    registry.subscribe('Counted', () => void calls.push('second'));
    const { lane } = assign(0);
    await lane.open(NO_JOURNALS);
    lane.deliver([recordOf(0, 'a')]);
    await until('the event', () => stats.eventsProcessedSuccess === 1);
    expect(calls).toEqual(['first', 'second']);
  });
});

import { BusError, busErrorOf, isBusError } from '../src/errors.js';
import { MemoryBroker } from '../src/index.js';
import { busOn, numbered, shutDownAll, until } from './memory-buses.js';

afterEach(shutDownAll);

function thrower(): never {
  throw new Error('looked at');
}

const HOSTILE: Readonly<Record<string, unknown>> = {
  'an error whose message throws': Object.defineProperty(new Error('x'), 'message', { get: thrower }),
  'an object all of whose fields throw': Object.defineProperties(
    {},
    {
      ...Object.fromEntries(
        ['name', 'message', 'stack', 'code', 'then'].map((name) => [name, { get: thrower }]),
      ),
    },
  ),
  'a proxy that throws at every look': new Proxy(new Error('x'), { get: thrower, getPrototypeOf: thrower }),
  'a frozen object': Object.freeze({ code: 1n }),
  undefined: undefined,
};

describe.each(Object.entries(HOSTILE))('%s', (_name, thrown) => {
  it('becomes a BusError that keeps it as the cause', () => {
    expect(isBusError(thrown)).toBe(false);
    const error = busErrorOf(thrown, 'do it');
    expect(error).toBeInstanceOf(BusError);
    expect(error.message).toContain('Could not do it');
    expect(Object.is(error.cause, thrown)).toBe(true);
  });

  it('fails its event like any other error, when thrown and when rejected', async () => {
    const bus = busOn(new MemoryBroker(), { retry: { maxRetries: 1, baseDelayMs: 1, jitter: 0 } });
    bus.subscribe('Counted', (event) => {
      if (event.aggregateVersion === 1) throw thrown;
      return event.aggregateVersion === 2 ? Promise.reject(thrown) : undefined;
    });
    await bus.startConsuming();
    await bus.publish([1, 2, 3].map((n) => numbered('a', n)));
    await until('the last event', () => bus.stats.eventsProcessedSuccess === 1);
    expect(bus.stats).toMatchObject({ messagesSentToDlq: 2, handlerErrors: 4, inFlight: 0 });
  });
});

import { Registry } from '../src/registry.js';

const nothing = (): void => undefined;

describe('the handlers of a type', () => {
  it('are those of the type, then the wildcards, in order of registration', () => {
    const registry = new Registry();
    const [a, b, c, d] = [1, 2, 3, 4].map(() => (): void => undefined) as [
      () => void,
      () => void,
      () => void,
      () => void,
    ];
    registry.subscribeToAllEvents(a);
    registry.subscribe('T', b);
    registry.subscribeToAllEvents(c);
    registry.subscribe('T', d);
    expect(registry.handlersFor('T').map(({ handler }) => handler)).toEqual([b, d, a, c]);
    expect(registry.handlersFor('U').map(({ handler }) => handler)).toEqual([a, c]);
    registry.unsubscribeFromAllEvents(a);
    expect(registry.handlersFor('U').map(({ handler }) => handler)).toEqual([c]);
    expect(registry.handlersFor('T').map(({ handler }) => handler)).toEqual([b, d, c]);
  });

  it('cost no list of their own for each event, whatever types arrive', () => {
    const registry = new Registry();
    registry.subscribeToAllEvents(nothing);
    expect(registry.handlersFor('A')).toBe(registry.handlersFor('B'));
    registry.subscribe('T', nothing);
    expect(registry.handlersFor('T')).toBe(registry.handlersFor('T'));
  });

  it('are not changed by what is subscribed while an event goes through them', () => {
    const registry = new Registry();
    registry.subscribeToAllEvents(nothing);
    const during = registry.handlersFor('A');
    registry.subscribeToAllEvents(nothing);
    expect(during).toHaveLength(1);
    expect(registry.handlersFor('A')).toHaveLength(2);
  });
});

describe('subscribeAll', () => {
  it('registers nothing when one of the types is no type', () => {
    const registry = new Registry();
    const subscriber = { subscribedTo: () => ['A', ''], handle: nothing };
    expect(() => registry.subscribeAll(subscriber)).toThrow(/type/);
    expect(registry.handlersFor('A')).toEqual([]);
  });

  it('reads the types once, and unsubscribeAll takes them all back', () => {
    const registry = new Registry();
    let reads = 0;
    const subscriber = {
      subscribedTo: () => {
        reads += 1;
        return ['A', 'B', 'A'];
      },
      handle: nothing,
    };
    registry.subscribeAll(subscriber);
    expect(registry.handlersFor('A')).toHaveLength(2);
    expect(registry.unsubscribeAll(subscriber)).toBe(3);
    expect([reads, registry.handlersFor('A').length]).toEqual([1, 0]);
  });
});

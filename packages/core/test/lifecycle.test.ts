import { isBusError } from '../src/errors.js';
import { Lifecycle } from '../src/lifecycle.js';
import type { BusState } from '../src/status.js';

const STATES: readonly BusState[] = ['idle', 'connecting', 'ready', 'reconnecting', 'draining', 'closed'];

/** A shortest way to each state. */
const WAYS: Readonly<Record<BusState, readonly BusState[]>> = {
  idle: [],
  connecting: ['connecting'],
  ready: ['connecting', 'ready'],
  reconnecting: ['connecting', 'ready', 'reconnecting'],
  draining: ['draining'],
  closed: ['draining', 'closed'],
};

function lifecycleIn(state: BusState): Lifecycle {
  const lifecycle = new Lifecycle();
  for (const next of WAYS[state]) lifecycle.to(next);
  return lifecycle;
}

describe('Lifecycle', () => {
  it('allows these transitions and no others', () => {
    const allowed = STATES.flatMap((from) =>
      STATES.filter((to) => lifecycleIn(from).can(to)).map((to) => `${from} → ${to}`),
    );
    expect(allowed).toEqual([
      'idle → connecting',
      'idle → draining',
      'connecting → idle',
      'connecting → ready',
      'connecting → draining',
      'ready → reconnecting',
      'ready → draining',
      'reconnecting → ready',
      'reconnecting → draining',
      'draining → closed',
    ]);
  });

  it('refuses what is not a transition, and stays where it is', () => {
    const lifecycle = lifecycleIn('closed');
    expect(() => lifecycle.to('ready')).toThrow('cannot go from closed to ready');
    expect(lifecycle.state).toBe('closed');
  });

  it('tells each transition once, after it was made', () => {
    const told: string[] = [];
    const lifecycle: Lifecycle = new Lifecycle((from, to) =>
      told.push(`${from} → ${to}, now ${lifecycle.state}`),
    );
    lifecycle.to('connecting');
    lifecycle.to('ready');
    expect(told).toEqual(['idle → connecting, now connecting', 'connecting → ready, now ready']);
  });

  it('is connected only when ready', () => {
    expect(STATES.filter((state) => lifecycleIn(state).connected)).toEqual(['ready']);
  });

  it('refuses new work once a shutdown began, and work of running handlers once it is over', () => {
    const refused = (state: BusState, call: 'assertOpen' | 'assertNotClosed'): boolean => {
      try {
        lifecycleIn(state)[call]('publish');
        return false;
      } catch (error) {
        return isBusError(error) && error.code === 'BUS_CLOSED';
      }
    };
    expect(STATES.filter((state) => refused(state, 'assertOpen'))).toEqual(['draining', 'closed']);
    expect(STATES.filter((state) => refused(state, 'assertNotClosed'))).toEqual(['closed']);
  });
});

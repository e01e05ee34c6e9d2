import { BusError } from '../src/errors.js';
import { Outages } from '../src/outages.js';
import type { TransportEvents } from '../src/transport.js';

const LOST = new BusError('CONNECTION_LOST', 'gone');
const REFUSED = new BusError('AUTHENTICATION', 'not known');

function outages(): { readonly of: Outages<'one' | 'two'>; readonly told: string[] } {
  const told: string[] = [];
  const events: Partial<TransportEvents> = {
    disconnected: ({ code }) => told.push(`disconnected ${code}`),
    reconnected: () => told.push('reconnected'),
    error: ({ code }) => told.push(`error ${code}`),
  };
  return { of: new Outages(events as TransportEvents), told };
}

describe('outages', () => {
  test('many failures of several parts are one outage, which ends with the last part', () => {
    const { of, told } = outages();
    for (const part of ['one', 'two', 'one'] as const) of.failed(part, LOST);
    of.works('one');
    expect(of.isDown).toBe(true);
    of.works('two');
    of.works('two');
    expect(told).toEqual(['disconnected CONNECTION_LOST', 'reconnected']);
  });

  test('a reason that only a person can mend is told once in an outage, and again in the next', () => {
    const { of, told } = outages();
    for (let outage = 0; outage < 2; outage += 1) {
      of.failed('one', LOST);
      of.failed('one', REFUSED);
      of.failed('two', REFUSED);
      of.works('one');
      of.works('two');
    }
    const once = ['disconnected CONNECTION_LOST', 'error AUTHENTICATION', 'reconnected'];
    expect(told).toEqual([...once, ...once]);
  });

  test('a reason that is told as the cause of the outage is not told again', () => {
    const { of, told } = outages();
    of.failed('one', REFUSED);
    of.failed('two', REFUSED);
    expect(told).toEqual(['disconnected AUTHENTICATION']);
  });
});

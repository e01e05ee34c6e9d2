import type { AssignedPartition, InboundRecord } from '@omnibus/core/transport';
import { OwnedPartition } from '../src/owned-partition.js';

const at = (position: number): InboundRecord => ({
  key: undefined,
  value: null,
  headers: {},
  position: String(position),
  timestampMs: 0,
  redelivered: false,
});

function own(start: string): OwnedPartition {
  const owned = new OwnedPartition(0, start, '', {
    isInSession: () => true,
    changed: () => undefined,
    resumed: () => undefined,
    writeDeadLetter: () => Promise.resolve(),
    fenced: () => undefined,
  });
  owned.attach({ deliver: () => undefined, lost: () => undefined } as unknown as AssignedPartition);
  return owned;
}

describe('a partition whose topic was made anew', () => {
  test('commits nothing of the former topic, and is read again when what was in hand is done', () => {
    const owned = own('5');
    const [five, six, seven] = [at(5), at(6), at(7)];
    owned.deliver([five, six, seven], '8');
    owned.settled({ records: [five], watermark: five, journal: '' });
    expect(owned.snapshot().offset).toBe('6');
    owned.moveTo('0');
    expect([owned.snapshot().offset, owned.isDue]).toEqual(['0', false]);
    owned.settled({ records: [seven, six], watermark: seven, journal: '' });
    expect([owned.snapshot().offset, owned.isDue]).toEqual(['0', true]);

    const [zero, one] = [at(0), at(1)];
    owned.deliver([zero, one], '2');
    // Core still names the last watermark that it knows: one of the former topic.
    owned.settled({ records: [one], watermark: seven, journal: '' });
    expect(owned.snapshot().offset).toBe('0');
    owned.settled({ records: [zero], watermark: one, journal: '' });
    expect(owned.snapshot().offset).toBe('2');
  });

  test('goes on at once when nothing is in hand', () => {
    const owned = own('5');
    owned.deliver([at(5)], '6');
    owned.settled({ records: [at(5)], watermark: at(5), journal: '' });
    owned.moveTo('0');
    expect([owned.snapshot().offset, owned.isDue, owned.fetchOffset]).toEqual(['0', true, '0']);
  });

  test('what retention deleted is no other topic: it goes on behind the gap', () => {
    const owned = own('5');
    const five = at(5);
    owned.deliver([five], '6');
    owned.moveTo('20');
    expect([owned.snapshot().offset, owned.isDue]).toEqual(['5', true]);
    owned.settled({ records: [five], watermark: five, journal: '' });
    expect(owned.snapshot().offset).toBe('20');
  });
});

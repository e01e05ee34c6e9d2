import type { InboundRecord } from '@omnibus/core/transport';

import { ReadSize } from '../src/read-size.js';

const LIMITS = { maxReadCount: 1_000, maxReadBytes: 8_388_608, maxInFlight: 100_000, leaseMs: 8_000 };
const BODY_BYTES = 1_024;
const QUICK_MS = 1;

function records(count: number, bodyBytes = BODY_BYTES): InboundRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    key: 'key',
    value: Buffer.alloc(bodyBytes),
    headers: {},
    position: String(n),
    timestampMs: 1,
    redelivered: false,
  }));
}

/** Reads of one partition that has more than they ask for. */
function readUntilSteady(size: ReadSize, tookMs: number): number {
  for (let reads = 0; reads < 20; reads += 1) size.brought(records(size.countFor(1)), 1, tookMs);
  return size.countFor(1);
}

describe('the size of a read', () => {
  it('begins small, and grows on a quick link to all that may be read', () => {
    const size = new ReadSize(LIMITS);
    expect(size.countFor(1)).toBe(1);
    expect(readUntilSteady(size, QUICK_MS)).toBe(LIMITS.maxReadCount);
  });

  it('counts every field: others may put anything into any', () => {
    const size = new ReadSize(LIMITS);
    expect(readUntilSteady(size, QUICK_MS)).toBe(LIMITS.maxReadCount);
    const [small] = records(1);
    size.brought([{ ...(small as InboundRecord), headers: { blob: Buffer.alloc(4_194_304) } }], 1, QUICK_MS);
    expect(size.countFor(1)).toBeLessThanOrEqual(2);
  });

  it('falls on a slow link to what arrives in a part of the lease, and rises with the link', () => {
    const size = new ReadSize(LIMITS);
    const count = readUntilSteady(size, QUICK_MS);
    size.brought(records(count), 1, 4 * LIMITS.leaseMs);
    // A sixteenth: a quarter of the lease, and it took four.
    expect(size.countFor(1)).toBeGreaterThan(count / 20);
    expect(size.countFor(1)).toBeLessThanOrEqual(Math.ceil(count / 16));
    expect(readUntilSteady(size, QUICK_MS)).toBe(LIMITS.maxReadCount);
  });

  it('stays where it is while reads are neither slow nor quick, or do not bring all they ask for', () => {
    const size = new ReadSize(LIMITS);
    const count = readUntilSteady(size, LIMITS.leaseMs / 8);
    expect(count).toBeLessThan(LIMITS.maxReadCount);
    size.brought(records(count), 1, LIMITS.leaseMs / 8);
    size.brought(records(1), 0, QUICK_MS);
    expect(size.countFor(1)).toBe(count);
  });

  it('never asks for more than it may, nor for nothing', () => {
    const size = new ReadSize({ ...LIMITS, maxReadBytes: 2_000 });
    size.brought(records(1), 1, 10 * LIMITS.leaseMs);
    expect(size.countFor(1)).toBe(1);
    expect(readUntilSteady(size, QUICK_MS)).toBe(1);
    expect(size.countFor(6)).toBe(1);
  });
});

import assert from 'node:assert/strict';

import { type DomainEvent, jsonCodec } from '@omnibus/core';

import type { CaseContext } from '../context.js';
import { makeEvents } from '../events.js';
import type { ConformanceCase } from '../registry.js';
import { median } from './support.js';
import { bestOf } from './support-measures.js';

const EVENTS = 10_000;
const CALL = 500;
const KEYS = 100;
const ROUNDS = 3;
const LEAST_RATIO = 0.7;

/** LD01: ten thousand events of one KiB, from one publisher to one consumer. */
export const rateCases: readonly ConformanceCase[] = [
  {
    id: 'LD01',
    title: '10 000 × 1 KiB: nothing lost, nothing twice',
    timeoutMs: 90_000,
    async run(t) {
      const { bus } = await t.consumer({ handler: () => {} });
      const publisher = await t.bus();
      const events = eventsOfOneKib();
      for (let at = 0; at < EVENTS; at += CALL) await t.publish(publisher, events.slice(at, at + CALL));
      await t.untilHandled(EVENTS, { withinMs: 60_000, everyMs: 50 });
      await t.untilQuiet(bus);
      t.expectClean();
    },
  },
  {
    id: 'LD01',
    title: "10 000 × 1 KiB: at least 70 % of the raw client's rate, with equal durability, in the same run",
    requires: ['sockets', 'raw.open'],
    timeoutMs: 180_000,
    async run(t) {
      // A bus that is too slow is too slow in both series; a machine that is busy is not busy evenly.
      await bestOf(2, async () => {
        const ratios: number[] = [];
        // Interleaved: what else the machine does slows both. The first round warms up and does not count.
        for (let round = 0; round <= ROUNDS; round += 1) {
          const rawMs = await transferRaw(t);
          const busMs = await transferByBus(t);
          if (round > 0) ratios.push(rawMs / busMs);
        }
        const ratio = median(ratios);
        const rounds = ratios.map((r) => r.toFixed(2)).join(', ');
        assert.ok(ratio >= LEAST_RATIO, `${ratio.toFixed(2)} of the raw client's rate (rounds: ${rounds})`);
      });
    },
  },
];

function eventsOfOneKib(): DomainEvent[] {
  return makeEvents({ keys: KEYS, perKey: EVENTS / KEYS, data: { filler: 'x'.repeat(620) } });
}

/** From the first publish to the last event handled, by the bus. */
async function transferByBus(t: CaseContext): Promise<number> {
  const namespace = t.newNamespace();
  const bus = await t.bus({ namespace });
  let handled = 0;
  bus.subscribeToAllEvents(() => {
    handled += 1;
  });
  await bus.startConsuming();
  const publisher = await t.bus({ namespace });
  await publisher.publish(makeEvents());
  await t.until('the first event', () => handled === 1);
  const events = eventsOfOneKib();
  const startedAtMs = performance.now();
  for (let at = 0; at < EVENTS; at += CALL) await publisher.publish(events.slice(at, at + CALL));
  await t.until('all events', () => handled > EVENTS, { withinMs: 60_000 });
  const tookMs = performance.now() - startedAtMs;
  await Promise.all([bus.shutdown(), publisher.shutdown()]);
  return tookMs;
}

/** The same by hand: bodies are encoded and parsed as JSON, sends are awaited, offsets are committed. */
async function transferRaw(t: CaseContext): Promise<number> {
  const namespace = t.newNamespace();
  const owner = await t.bus({ namespace });
  await owner.connect();
  let handled = 0;
  const raw = await t.subject.raw?.open(namespace, () => {
    handled += 1;
  });
  assert.ok(raw);
  const recordOf = (event: DomainEvent): { key: string; value: string } => ({
    key: event.aggregateId,
    value: Buffer.from(jsonCodec.encode(event)).toString(),
  });
  try {
    await raw.publish(makeEvents().map(recordOf));
    await t.until('the first record', () => handled === 1);
    const events = eventsOfOneKib();
    const startedAtMs = performance.now();
    for (let at = 0; at < EVENTS; at += CALL) await raw.publish(events.slice(at, at + CALL).map(recordOf));
    await t.until('all records', () => handled > EVENTS, { withinMs: 60_000 });
    return performance.now() - startedAtMs;
  } finally {
    await raw.close();
    await owner.shutdown();
  }
}

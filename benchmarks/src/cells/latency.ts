import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '../client.js';
import { type Batch, batchesOf } from '../events.js';
import { interleaved, type Rounds, SIDES, type Side } from '../measure.js';
import { differenceRow, type Row } from '../report/row.js';
import { percentile } from '../statistics.js';
import type { BrokerCell, BrokerRun } from './cell.js';

/** Of the events: 500 by default. */
const SAMPLES_SHARE = 0.005;
const UNMEASURED_SAMPLES = 20;
/** Between two events, so that nothing of the one before is under way. */
const IDLE_MS = 5;

/** From publish to handler, when nothing else happens. */
export const idleLatency: BrokerCell = {
  id: 'L',
  title: 'latency from publish to handler, one event at a time',
  needsBroker: true,
  measure: async (run) => {
    const rounds = await measureRounds(run);
    const at = (percent: number): Rounds<Side, number> => ({
      bus: rounds.bus.map((latenciesMs) => percentile(latenciesMs, percent)),
      raw: rounds.raw.map((latenciesMs) => percentile(latenciesMs, percent)),
    });
    const head = { cell: 'L', unit: 'ms' } as const;
    const target = { kind: 'at most', bound: run.broker.targets.L } as const;
    const p50: Row = differenceRow({ ...head, what: 'idle, p50', target }, at(50));
    return [p50, differenceRow({ ...head, what: 'idle, p99' }, at(99))];
  },
};

async function measureRounds(run: BrokerRun): Promise<Rounds<Side, readonly number[]>> {
  const samples = batchesOf(Math.max(1, Math.round(run.events * SAMPLES_SHARE)), 1);
  const warmUp = batchesOf(UNMEASURED_SAMPLES, 1);
  return interleaved(run, 'L idle', SIDES, async (side) => {
    // A stream of its own for every round: what other rounds published is not to be handled again.
    const { name, clients } = run.broker.newStream();
    return latencies(clients[side], clients.bus, name, warmUp, samples);
  });
}

async function latencies(
  client: Client,
  bus: Client,
  group: string,
  warmUp: readonly Batch[],
  samples: readonly Batch[],
): Promise<readonly number[]> {
  const maker = await bus.openPublisher();
  await maker.close();
  let arrived = (): void => undefined;
  const publisher = await client.openPublisher();
  const consumer = await client.openConsumer({ group, concurrency: undefined, handle: () => arrived() });
  const latencyMs = async (sample: Batch): Promise<number> => {
    await sleep(IDLE_MS);
    const arrival = new Promise<number>((resolve) => {
      arrived = () => resolve(performance.now());
    });
    const publishedAtMs = performance.now();
    const [handledAtMs] = await Promise.all([arrival, publisher.publish(sample)]);
    return handledAtMs - publishedAtMs;
  };
  for (const sample of warmUp) await latencyMs(sample);
  const measured: number[] = [];
  for (const sample of samples) measured.push(await latencyMs(sample));
  await consumer.close();
  await publisher.close();
  return measured;
}

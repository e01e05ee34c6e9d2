import { randomUUID } from 'node:crypto';

import { MemoryBroker } from '@omnibus/core';
import { startKafka } from '@omnibus/test-brokers';

import type { BusConnection } from './create-bus.js';

/** What can be asked for with `--bus`. */
export const BUSES = ['memory', 'kafka'] as const;

/** A broker of the demo. */
export type BusName = (typeof BUSES)[number];

/** A broker that runs. */
export interface RunningBroker {
  readonly connection: BusConnection;
  /** Ends it, if the demo started it. */
  stop(): Promise<void>;
}

/** Starts a broker and resolves when it serves. `say` is told what happens, and what takes long. */
export async function startBroker(bus: BusName, say: (text: string) => void): Promise<RunningBroker> {
  if (bus === 'memory') {
    return { connection: { bus, broker: new MemoryBroker() }, stop: async () => {} };
  }
  say('Starting Kafka: some seconds; the first time its files are fetched before, which may take minutes');
  const kafka = await startKafka({ report: (line) => say(`  ${line}`) });
  // A name of its own: brokers named by the environment may hold the topics of another run.
  const topicPrefix = `flight-delays-${randomUUID().slice(0, 8)}`;
  if (kafka.provider === 'environment') say(`  The topics ${topicPrefix}.* stay on these brokers`);
  return { connection: { bus, brokers: kafka.brokers, topicPrefix }, stop: () => kafka.stop() };
}

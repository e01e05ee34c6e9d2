import type { BusConnection } from '../create-bus.js';
import type { Repair } from '../faults.js';
import type { SaveRun } from '../handler-run.js';
import { startConsumer } from './consumer.js';
import type { Consumers } from './consumers.js';

/** Consumers in this process, each with buses of its own. For the memory broker, which no other process can reach. */
export async function startLocalConsumers(
  connection: BusConnection,
  count: number,
  save: SaveRun,
): Promise<Consumers> {
  const repair: Repair = { deployed: false };
  const names = Array.from({ length: count }, (_, index) => `consumer-${index + 1}`);
  const consumers = await Promise.all(names.map((name) => startConsumer({ name, connection, repair, save })));
  const stop: Consumers['stop'] = async () =>
    (await Promise.all(consumers.map((consumer) => consumer.stop()))).flat();
  return {
    died: new Set(),
    failed: new Promise<never>(() => {}),
    deployRepair: async () => {
      repair.deployed = true;
    },
    stop,
    kill: async () => void (await stop()),
  };
}

import { brokerNamed } from './brokers/index.js';
import { handleAll } from './consumption.js';
import { collectGarbage } from './measure.js';
import type { MemoryTask, MemoryUse } from './memory-use.js';

const SAMPLE_EVERY_MS = 20;
const MIB = 2 ** 20;

/** Drains a stream in this process, which does nothing else, and writes what that took as JSON. */
async function measureMemory({ bus, address, stream, side, group, events }: MemoryTask): Promise<MemoryUse> {
  let peakHeapBytes = 0;
  const sample = (): void => {
    peakHeapBytes = Math.max(peakHeapBytes, process.memoryUsage().heapUsed);
  };
  const sampling = setInterval(sample, SAMPLE_EVERY_MS);
  const client = brokerNamed(bus).clients(address, stream)[side];
  const { consumer } = await handleAll(client, events, { group, concurrency: undefined });
  clearInterval(sampling);
  const peakRssMiB = process.resourceUsage().maxRSS / 1_024;
  collectGarbage();
  const heapAfterMiB = process.memoryUsage().heapUsed / MIB;
  await consumer.close();
  return { peakRssMiB, peakHeapMiB: peakHeapBytes / MIB, heapAfterMiB };
}

const [, , task = ''] = process.argv;
process.stdout.write(JSON.stringify(await measureMemory(JSON.parse(task) as MemoryTask)));

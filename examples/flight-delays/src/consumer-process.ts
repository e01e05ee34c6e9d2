import { type Consumer, startConsumer } from './consumers/consumer.js';
import type { FromConsumer, ToConsumer } from './consumers/messages.js';
import type { Repair } from './faults.js';

// The program of a consumer process. It is started by the demo, which tells it over IPC what to do.

const repair: Repair = { deployed: false };
let starting: Promise<Consumer> | undefined;
let stopping: Promise<void> | undefined;

/**
 * Resolves when the message has been written to the channel. From then on the operating system keeps it for the demo,
 * whatever becomes of this process.
 */
function tell(message: FromConsumer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function start({ name, connection, repaired }: ToConsumer & { type: 'start' }): Promise<void> {
  repair.deployed = repaired;
  starting = startConsumer({ name, connection, repair, save: (run) => tell({ type: 'run', run }) });
  await starting;
  await tell({ type: 'ready' });
}

async function stop(): Promise<void> {
  const consumer = await starting;
  const counters = (await consumer?.stop()) ?? [];
  await tell({ type: 'stopped', counters });
  process.disconnect();
}

async function obey(message: ToConsumer): Promise<void> {
  if (message.type === 'start') return start(message);
  if (message.type === 'stop') {
    stopping ??= stop();
    return stopping;
  }
  repair.deployed = true;
  return tell({ type: 'repaired' });
}

function fail(error: unknown): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell({ type: 'failed', message })
    .catch(() => undefined)
    .finally(() => process.exit(1));
}

process.on('message', (message: ToConsumer) => {
  obey(message).catch(fail);
});
// A terminal sends Ctrl-C to every process; the demo decides in which order they end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  stopping ??= stop();
  stopping.catch(fail);
});
// Without the demo there is nobody to save a run for.
process.on('disconnect', () => {
  if (!stopping) process.exit(1);
});

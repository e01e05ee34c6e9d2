import type { EventBus } from '@omnibus/core';

import { abortable } from './abortable.js';
import type { DemoOptions } from './arguments.js';
import { type RunningBroker, startBroker } from './broker.js';
import { formatCount } from './console/format.js';
import { Progress } from './console/progress.js';
import type { Terminal } from './console/terminal.js';
import type { Consumers } from './consumers/consumers.js';
import { startLocalConsumers } from './consumers/local-consumers.js';
import { startProcessConsumers } from './consumers/process-consumers.js';
import { createBus } from './create-bus.js';
import { departuresOf } from './flights/flight-departed.js';
import { readFlights } from './flights/flights-file.js';
import { Ledger } from './ledger.js';
import { report } from './report.js';
import { type Journey, travel } from './travel.js';

/** Runs the demo from the broker's start to the audit. Resolves with the exit code; rejects with the signal's reason. */
export async function runDemo(
  options: DemoOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const flights = await readFlights(options.events);
  const events = departuresOf(flights);
  terminal.say(`${formatCount(events.length)} departures, as events on the ${options.bus} bus`);
  const broker = await abortable(startBroker(options.bus, terminal.say), signal);
  try {
    const ledger = new Ledger(() => progress.update());
    const progress = new Progress(terminal, ledger, events.length);
    const journey = await withConsumers({ options, broker, terminal, ledger, signal }, (consumers, bus) =>
      travel({ events, consumers, bus, ledger, terminal, progress, signal }),
    );
    progress.end();
    return report(terminal, { flights, events, ledger, journey });
  } finally {
    await broker.stop();
  }
}

interface Stage {
  readonly options: DemoOptions;
  readonly broker: RunningBroker;
  readonly terminal: Terminal;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

/** Starts the consumers and the bus that publishes, and leaves nothing of them behind. */
async function withConsumers(
  stage: Stage,
  work: (consumers: Consumers, bus: EventBus) => Promise<Journey>,
): Promise<Journey> {
  const { broker, signal } = stage;
  const bus = createBus(broker.connection, { group: 'publisher', consumerName: 'publisher' });
  let consumers: Consumers | undefined;
  try {
    consumers = await startConsumers(stage);
    return await abortable(Promise.race([work(consumers, bus), consumers.failed]), signal);
  } finally {
    await Promise.all([consumers?.kill(), bus.shutdown({ timeoutMs: signal.aborted ? 0 : 5_000 })]);
  }
}

function startConsumers({ options, broker, terminal, ledger, signal }: Stage): Promise<Consumers> {
  const { connection } = broker;
  const { consumers: count } = options;
  const save = ledger.save.bind(ledger);
  if (connection.bus !== 'memory') {
    return startProcessConsumers({ connection, count, save, signal, say: terminal.say });
  }
  const buses = count === 1 ? 'One consumer' : `${count} consumers`;
  terminal.say(`${buses} in this process: a memory broker cannot be reached from another one`);
  return startLocalConsumers(connection, count, save);
}

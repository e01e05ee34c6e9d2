import { randomUUID } from 'node:crypto';

import type { RunningBroker } from './brokers/broker.js';
import { brokerNamed } from './brokers/index.js';
import type { BrokerCell, Cell, OpenStream } from './cells/cell.js';
import { abortable, type Plan } from './measure.js';
import type { Row } from './report/row.js';

/** What is to be run, on what. */
export interface RunSpec extends Plan {
  readonly bus: string;
  readonly cells: readonly Cell[];
  readonly events: number;
  readonly say: (line: string) => void;
}

/** What a run gave. */
export interface RunResult {
  readonly broker: string | undefined;
  readonly rawClient: string | undefined;
  readonly rows: readonly Row[];
}

/** Starts the broker if a cell needs one, measures cell after cell, and ends the broker whatever happens. */
export async function run(spec: RunSpec): Promise<RunResult> {
  if (spec.cells.every(({ needsBroker }) => !needsBroker)) {
    const rows = await measureAll(spec, undefined);
    return { broker: undefined, rawClient: undefined, rows };
  }
  spec.say('Starting the broker: some seconds; the first time its files are fetched, which may take minutes');
  // What a start that is given up has begun ends with this process.
  const broker = await abortable(brokerNamed(spec.bus).start(spec.say), spec.signal);
  try {
    const rows = await abortable(measureAll(spec, broker), spec.signal);
    return { broker: broker.description, rawClient: broker.rawClient, rows };
  } finally {
    await broker.stop();
  }
}

async function measureAll(spec: RunSpec, broker: RunningBroker | undefined): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const cell of spec.cells) {
    spec.say(`${cell.id}  ${cell.title}`);
    if (!cell.needsBroker) rows.push(...(await cell.measure(spec)));
    else if (broker) rows.push(...(await measureOn(broker, cell, spec)));
  }
  return rows;
}

async function measureOn(broker: RunningBroker, cell: BrokerCell, spec: RunSpec): Promise<readonly Row[]> {
  const kind = brokerNamed(spec.bus);
  const { address } = broker;
  const { targets } = kind;
  const streams: string[] = [];
  const newStream = (): OpenStream => {
    const name = `bench-${cell.id.toLowerCase()}-${randomUUID().slice(0, 8)}`;
    streams.push(name);
    return { name, clients: kind.clients(address, name) };
  };
  const rows = await cell.measure({ ...spec, broker: { name: spec.bus, address, targets, newStream } });
  for (const stream of streams) await kind.dropStream(address, stream);
  return rows;
}

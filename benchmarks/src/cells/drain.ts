import { setTimeout as sleep } from 'node:timers/promises';

import type { Client, ConsumerSpec } from '../client.js';
import { fill, fillFor, handleAll } from '../consumption.js';
import { type Effort, interleaved, SIDES } from '../measure.js';
import { effortRows, type Row, type Target } from '../report/row.js';
import type { BrokerRun, Cell } from './cell.js';

const SLOW_SHARE = 0.2;
const SLOW_HANDLER_MS = 5;
const SLOW_CONCURRENCY = 64;

/** Consuming a backlog with a handler that does nothing. */
export const drainIdleHandler: Cell = {
  id: 'C1',
  title: 'drain a backlog, handler that does nothing',
  needsBroker: true,
  measure: (run) =>
    drainRows(run, {
      cell: 'C1',
      what: 'handler does nothing',
      events: run.events,
      concurrency: undefined,
      work: undefined,
    }),
};

/** Consuming a backlog with a handler that takes its time, in order per key. */
export const drainSlowHandler: Cell = {
  id: 'C2',
  title: `drain a backlog, handler of ${SLOW_HANDLER_MS} ms, ${SLOW_CONCURRENCY} at once, in order per key`,
  needsBroker: true,
  measure: (run) =>
    drainRows(run, {
      cell: 'C2',
      what: `${SLOW_HANDLER_MS} ms handler, ${SLOW_CONCURRENCY} at once`,
      events: Math.ceil(run.events * SLOW_SHARE),
      concurrency: SLOW_CONCURRENCY,
      work: () => sleep(SLOW_HANDLER_MS),
    }),
};

interface Drain {
  readonly cell: 'C1' | 'C2';
  readonly what: string;
  readonly events: number;
  readonly concurrency: number | undefined;
  readonly work: (() => Promise<void>) | undefined;
}

async function drainRows(
  run: BrokerRun,
  { cell, what, events, concurrency, work }: Drain,
): Promise<readonly Row[]> {
  const { name, clients } = run.broker.newStream();
  if (clients.isRetained) {
    run.progress(`${cell}  filling the stream`);
    await fill(clients.bus, events);
  }
  const rounds = await interleaved(run, `${cell} ${what}`, SIDES, async (side, round) => {
    const group = `${name}-${side}-${round}`;
    // A stream that keeps nothing for later: each group gets what is published while it is the only one.
    const { clients: own } = clients.isRetained ? { clients } : run.broker.newStream();
    if (!clients.isRetained) await fillFor(own[side], events, group);
    return drain(own[side], events, { group, concurrency }, work);
  });
  const target: Target = { kind: 'at least', bound: run.broker.targets[cell] };
  return effortRows({ cell, what, target }, rounds);
}

async function drain(
  client: Client,
  count: number,
  group: Omit<ConsumerSpec, 'handle'>,
  work: Drain['work'],
): Promise<Effort> {
  const { consumer, effort } = await handleAll(client, count, group, work);
  await consumer.close();
  return effort;
}

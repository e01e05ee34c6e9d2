import type { Publisher } from '../client.js';
import { type Batch, batchesOf } from '../events.js';
import { effortOf, interleaved, SIDES } from '../measure.js';
import { effortRows, type Row, type Target } from '../report/row.js';
import type { BrokerRun, Cell } from './cell.js';

const CALL_SIZE = 1_000;
/** Of the events, for the warm-up. */
const WARM_UP_SHARE = 0.1;

/** Publishing in large calls, one awaited after the other. */
export const publishInCalls: Cell = {
  id: 'P1',
  title: `publish in calls of ${CALL_SIZE} events`,
  needsBroker: true,
  measure: (run) => publishRows(run, 'P1', CALL_SIZE, 1, run.broker.targets.P1),
};

/** Publishing event by event, with many calls outstanding. */
export const publishSingly: Cell = {
  id: 'P2',
  title: 'publish single events, many calls outstanding',
  needsBroker: true,
  measure: async (run) => [
    ...(await publishRows(run, 'P2', 1, 64)),
    ...(await publishRows(run, 'P2', 1, 2_000, run.broker.targets.P2)),
  ],
};

async function publishRows(
  run: BrokerRun,
  cell: string,
  perCall: number,
  outstanding: number,
  bound?: number,
): Promise<readonly Row[]> {
  const { name, clients } = run.broker.newStream();
  const { bus, raw } = clients;
  // Without a group nothing would be stored.
  if (!clients.isRetained) await Promise.all([bus.createGroup(name), raw.createGroup(name)]);
  const publishers = { bus: await bus.openPublisher(), raw: await raw.openPublisher() };
  const what = perCall === 1 ? `1 event a call, ${outstanding} outstanding` : `${perCall} events a call`;
  const all = batchesOf(run.events, perCall);
  const few = all.slice(0, Math.ceil(all.length * WARM_UP_SHARE));
  const rounds = await interleaved(run, `${cell} ${what}`, SIDES, (side, round) => {
    const batches = round === 0 ? few : all;
    return effortOf(run.events, () => publishAll(publishers[side], batches, outstanding));
  });
  await Promise.all([publishers.bus.close(), publishers.raw.close()]);
  const target: Target | undefined = bound === undefined ? undefined : { kind: 'at least', bound };
  return effortRows({ cell, what, ...(target && { target }) }, rounds);
}

/** Keeps that many calls outstanding until all are done. */
async function publishAll(
  publisher: Publisher,
  batches: readonly Batch[],
  outstanding: number,
): Promise<void> {
  let next = 0;
  const callAfterCall = async (): Promise<void> => {
    for (let batch = batches[next]; batch; batch = batches[next]) {
      next += 1;
      await publisher.publish(batch);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, callAfterCall));
}

import { fill, fillFor } from '../consumption.js';
import { interleaved, type Rounds, type Side } from '../measure.js';
import { type MemoryUse, memoryUse } from '../memory-use.js';
import { absoluteRow, type Row, type RowHead, ratioRow } from '../report/row.js';
import type { BrokerCell, BrokerRun } from './cell.js';

/** The long drain, as a multiple of the short one. */
const LONGER = 10;
/** What still counts as flat: garbage that is collected a little later is no growth. */
const FLAT_RSS = 1.25;
const FLAT_HEAP = 1.1;

type Length = 'short' | 'long';
type Thing = `${Side} ${Length}`;
const THINGS: readonly Thing[] = ['bus short', 'raw short', 'bus long', 'raw long'];

/** How much memory a drain takes, and that ten times the events take no more. */
export const memory: BrokerCell = {
  id: 'M',
  title: `memory of a process that drains, and of one that drains ${LONGER} times as much`,
  needsBroker: true,
  async measure(run): Promise<readonly Row[]> {
    const rounds = await measureRounds(run);
    const row = (what: string, length: Length, pick: Pick): Row =>
      ratioRow(head(`${what}, ${eventsOf(run, length).toLocaleString('en-US')} events`), {
        bus: rounds[`bus ${length}`].map(pick),
        raw: rounds[`raw ${length}`].map(pick),
      });
    const growthRow = (what: string, bound: number, pick: Pick): Row =>
      absoluteRow(
        { ...head(`${what}, ${LONGER} times the events`), unit: 'times', target: { kind: 'at most', bound } },
        growth(rounds, 'bus', pick),
        growth(rounds, 'raw', pick),
      );
    return [
      row('peak RSS', 'short', peakRss),
      row('peak RSS', 'long', peakRss),
      row('peak heap', 'short', peakHeap),
      row('peak heap', 'long', peakHeap),
      row('heap after GC', 'long', heapAfter),
      growthRow('peak RSS', FLAT_RSS, peakRss),
      growthRow('heap after GC', FLAT_HEAP, heapAfter),
    ];
  },
};

type Pick = (use: MemoryUse) => number;
const peakRss: Pick = ({ peakRssMiB }) => peakRssMiB;
const peakHeap: Pick = ({ peakHeapMiB }) => peakHeapMiB;
const heapAfter: Pick = ({ heapAfterMiB }) => heapAfterMiB;

function head(what: string): RowHead {
  return { cell: 'M', what, unit: 'MiB' };
}

function eventsOf({ events }: BrokerRun, length: Length): number {
  return length === 'short' ? events : events * LONGER;
}

async function measureRounds(run: BrokerRun): Promise<Rounds<Thing, MemoryUse>> {
  const { name: bus, address, newStream } = run.broker;
  const streams = { short: newStream(), long: newStream() };
  const { isRetained } = streams.short.clients;
  for (const length of isRetained ? (['short', 'long'] as const) : []) {
    run.progress(`M, filling the ${length} stream`);
    await fill(streams[length].clients.bus, eventsOf(run, length));
  }
  const measure = async (thing: Thing, round: number): Promise<MemoryUse> => {
    const [side, length] = thing.split(' ') as [Side, Length];
    const { name: stream, clients } = isRetained ? streams[length] : newStream();
    const group = `${stream}-${side}-${round}`;
    const events = eventsOf(run, length);
    if (!isRetained) await fillFor(clients[side], events, group);
    return memoryUse({ bus, address, stream, side, group, events }, run.signal);
  };
  return interleaved(run, 'M', THINGS, measure, { warmUp: false });
}

function growth(rounds: Rounds<Thing, MemoryUse>, side: Side, pick: Pick): readonly number[] {
  return rounds[`${side} long`].map(
    (long, round) => pick(long) / pick(rounds[`${side} short`][round] as MemoryUse),
  );
}

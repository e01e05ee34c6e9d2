import type { AirportDelays } from '../delay-board.js';
import { formatCount, formatDecimal } from './format.js';
import { table } from './table.js';
import type { Terminal } from './terminal.js';

const SHOWN_AIRPORTS = 8;
/** An airport needs one of so many flights of all to be called one of the most delayed. */
const SHARE_TO_COMPARE = 400;

type Row = readonly [airport: string, delays: AirportDelays];

/** Shows the busiest airports and those with the longest mean delay. */
export function showAirports(
  { say, paint }: Terminal,
  airports: ReadonlyMap<string, AirportDelays>,
  events: number,
): void {
  const least = Math.max(1, Math.floor(events / SHARE_TO_COMPARE));
  const busiest = top([...airports], ([, { flights }]) => flights);
  const comparable = [...airports].filter(([, { flights }]) => flights >= least);
  const show = (title: string, rows: readonly Row[]): void => {
    const [header = '', ...lines] = airportTable(rows);
    say(`\n${paint.bold(title)}\n${paint.dim(header)}\n${lines.join('\n')}`);
  };
  show('Busiest airports', busiest);
  show(
    `Most delayed airports (of those with ${least} flights or more)`,
    top(comparable, ([, row]) => meanOf(row)),
  );
}

function airportTable(rows: readonly Row[]): readonly string[] {
  return table(
    ['airport', 'flights', '15+ min late', 'total min', 'mean min', 'worst min'],
    rows.map(([airport, delays]) => [
      airport,
      formatCount(delays.flights),
      formatCount(delays.delayed),
      formatCount(delays.totalDelayMinutes),
      formatDecimal(meanOf(delays)),
      formatCount(delays.worstDelayMinutes),
    ]),
  );
}

function top(rows: readonly Row[], by: (row: Row) => number): readonly Row[] {
  return [...rows]
    .sort((one, other) => by(other) - by(one) || one[0].localeCompare(other[0]))
    .slice(0, SHOWN_AIRPORTS);
}

function meanOf({ totalDelayMinutes, flights }: AirportDelays): number {
  return totalDelayMinutes / flights;
}

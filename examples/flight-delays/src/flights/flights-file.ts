import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A record of `flights-20k.json`, as it stands there. */
export interface FlightRecord {
  /** Departure, local time: `2001/01/01 00:47`. */
  readonly date: string;
  /** Minutes late; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Airport codes. */
  readonly origin: string;
  readonly destination: string;
}

/** How many records the file has. */
export const FLIGHTS_IN_FILE = 20_000;

/** Reads the first `count` records: flights within the United States, ordered by departure. */
export async function readFlights(count: number): Promise<readonly FlightRecord[]> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = join(entry, '../../data/flights-20k.json');
  const records = JSON.parse(await readFile(file, 'utf8')) as readonly FlightRecord[];
  return records.slice(0, count);
}

import type { FlightRecord } from './flights/flights-file.js';

/** The departures of an airport. */
export interface AirportDelays {
  readonly flights: number;
  /** Those that left 15 minutes late or more. */
  readonly delayed: number;
  /** Sum over all flights; early ones count negative. */
  readonly totalDelayMinutes: number;
  readonly worstDelayMinutes: number;
}

const DELAYED_FROM_MINUTES = 15;
const NO_FLIGHTS: AirportDelays = {
  flights: 0,
  delayed: 0,
  totalDelayMinutes: 0,
  worstDelayMinutes: Number.NEGATIVE_INFINITY,
};

/** The delays of every airport. Idempotent: an event counts once, however often it is given. */
export class DelayBoard {
  readonly airports: Map<string, AirportDelays> = new Map();
  readonly #counted = new Set<string>();

  /** How many events were counted. */
  get events(): number {
    return this.#counted.size;
  }

  has(eventId: string): boolean {
    return this.#counted.has(eventId);
  }

  add(eventId: string, airport: string, delayMinutes: number): void {
    if (this.#counted.has(eventId)) return;
    this.#counted.add(eventId);
    this.airports.set(airport, withFlight(this.airports.get(airport), delayMinutes));
  }
}

/** The board straight from the file, without a bus. */
export function boardOfFile(flights: readonly FlightRecord[]): ReadonlyMap<string, AirportDelays> {
  const airports = new Map<string, AirportDelays>();
  for (const { origin, delay } of flights) airports.set(origin, withFlight(airports.get(origin), delay));
  return airports;
}

/** Airports whose rows are not the same on both boards, missing ones included. */
export function differingAirports(
  one: ReadonlyMap<string, AirportDelays>,
  other: ReadonlyMap<string, AirportDelays>,
): readonly string[] {
  const codes = new Set([...one.keys(), ...other.keys()]);
  return [...codes].filter((code) => !sameRow(one.get(code), other.get(code))).sort();
}

function withFlight(row: AirportDelays = NO_FLIGHTS, delayMinutes: number): AirportDelays {
  return {
    flights: row.flights + 1,
    delayed: row.delayed + (delayMinutes >= DELAYED_FROM_MINUTES ? 1 : 0),
    totalDelayMinutes: row.totalDelayMinutes + delayMinutes,
    worstDelayMinutes: Math.max(row.worstDelayMinutes, delayMinutes),
  };
}

function sameRow(one: AirportDelays | undefined, other: AirportDelays | undefined): boolean {
  return (
    one !== undefined &&
    other !== undefined &&
    one.flights === other.flights &&
    one.delayed === other.delayed &&
    one.totalDelayMinutes === other.totalDelayMinutes &&
    one.worstDelayMinutes === other.worstDelayMinutes
  );
}

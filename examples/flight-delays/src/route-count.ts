import type { FlightRecord } from './flights/flights-file.js';

/** How many flights each route had. Idempotent: an event counts once, however often it is given. */
export class RouteCount {
  readonly routes: Map<string, number> = new Map();
  readonly #counted = new Set<string>();

  /** How many events were counted. */
  get events(): number {
    return this.#counted.size;
  }

  has(eventId: string): boolean {
    return this.#counted.has(eventId);
  }

  add(eventId: string, origin: string, destination: string): void {
    if (this.#counted.has(eventId)) return;
    this.#counted.add(eventId);
    increment(this.routes, routeOf(origin, destination));
  }
}

/** The counts straight from the file, without a bus. */
export function routesOfFile(flights: readonly FlightRecord[]): ReadonlyMap<string, number> {
  const routes = new Map<string, number>();
  for (const { origin, destination } of flights) increment(routes, routeOf(origin, destination));
  return routes;
}

/** Routes whose counts are not the same, missing ones included. */
export function differingRoutes(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): readonly string[] {
  const routes = new Set([...one.keys(), ...other.keys()]);
  return [...routes].filter((route) => one.get(route) !== other.get(route)).sort();
}

function routeOf(origin: string, destination: string): string {
  return `${origin}–${destination}`;
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

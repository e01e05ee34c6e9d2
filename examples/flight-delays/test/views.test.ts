import { boardOfFile, DelayBoard, differingAirports } from '../src/delay-board.js';
import type { FlightRecord } from '../src/flights/flights-file.js';
import { differingRoutes, RouteCount, routesOfFile } from '../src/route-count.js';

const flight = (origin: string, destination: string, delay: number): FlightRecord => ({
  date: '2001/01/01 00:47',
  distance: 100,
  origin,
  destination,
  delay,
});

const flights = [flight('DFW', 'LAX', 20), flight('DFW', 'LAX', -5), flight('ORD', 'DFW', 14)];

describe('The delay board', () => {
  const filled = (): DelayBoard => {
    const board = new DelayBoard();
    flights.forEach(({ origin, delay }, index) => {
      board.add(`event-${index}`, origin, delay);
    });
    return board;
  };

  it('sums up every airport', () => {
    expect(filled().airports.get('DFW')).toEqual({
      flights: 2,
      delayed: 1,
      totalDelayMinutes: 15,
      worstDelayMinutes: 20,
    });
  });

  it('counts an event once, however often it is given', () => {
    const board = filled();
    board.add('event-0', 'DFW', 20);
    expect(differingAirports(board.airports, boardOfFile(flights))).toEqual([]);
  });

  it('differs from the file when a flight is missing, or an airport', () => {
    expect(differingAirports(filled().airports, boardOfFile(flights.slice(1)))).toEqual(['DFW']);
    expect(differingAirports(filled().airports, boardOfFile(flights.slice(0, 2)))).toEqual(['ORD']);
  });
});

describe('The route count', () => {
  it('counts an event once, and differs from the file when a route does', () => {
    const count = new RouteCount();
    for (const id of ['event-0', 'event-1', 'event-1']) count.add(id, 'DFW', 'LAX');
    expect(count.routes.get('DFW–LAX')).toBe(2);
    expect(differingRoutes(count.routes, routesOfFile(flights))).toEqual(['ORD–DFW']);
  });
});

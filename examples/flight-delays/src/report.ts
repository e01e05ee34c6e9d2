import { audit } from './audit/audit.js';
import { showAirports } from './console/airport-tables.js';
import { showAudit } from './console/audit-table.js';
import type { Terminal } from './console/terminal.js';
import { deadLetterIds } from './dead-letters.js';
import { boardOfFile, differingAirports } from './delay-board.js';
import { needsRepair } from './faults.js';
import type { FlightDeparted } from './flights/flight-departed.js';
import type { FlightRecord } from './flights/flights-file.js';
import type { GroupName } from './groups.js';
import type { Ledger } from './ledger.js';
import { differingRoutes, routesOfFile } from './route-count.js';
import type { Journey } from './travel.js';

/** What is reported on. */
export interface ReportOptions {
  readonly flights: readonly FlightRecord[];
  readonly events: readonly FlightDeparted[];
  readonly ledger: Ledger;
  readonly journey: Journey;
}

const EXIT_CLEAN = 0;
const EXIT_NOT_CLEAN = 1;

/** Shows the airports and the audit. Returns the exit code. */
export function report(terminal: Terminal, { flights, events, ledger, journey }: ReportOptions): number {
  const { board, routes, runs } = ledger;
  const doomed = (group: GroupName): ReadonlySet<string> =>
    new Set(events.filter((event) => needsRepair(group, event)).map(({ eventId }) => eventId));
  const audited = audit({
    ...journey,
    published: events,
    runs,
    deadLetters: deadLetterIds(journey.deadLetters),
    doomed: { 'delay-board': doomed('delay-board'), 'route-count': doomed('route-count') },
    differing: {
      'delay-board': differingAirports(board.airports, boardOfFile(flights)),
      'route-count': differingRoutes(routes.routes, routesOfFile(flights)),
    },
  });
  showAirports(terminal, board.airports, events.length);
  showAudit(terminal, audited, { airports: board.airports.size, routes: routes.routes.size });
  return audited.problems.length === 0 ? EXIT_CLEAN : EXIT_NOT_CLEAN;
}

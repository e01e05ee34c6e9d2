import type { EventHandlerObject } from '@omnibus/core';

import { failureOf, type Repair } from './faults.js';
import type { FlightDeparted } from './flights/flight-departed.js';
import type { GroupName } from './groups.js';
import { nowUs, type SaveRun } from './handler-run.js';

/** What the handler of a group needs. */
export interface FlightHandlerOptions {
  readonly group: GroupName;
  readonly consumer: string;
  readonly repair: Repair;
  readonly save: SaveRun;
}

/**
 * The handler of a group: hands the flight to the group's view, together with the record of its own run. It returns
 * only after that is safe, so that a kill before leads to another run and a kill after loses nothing.
 */
export function flightHandler(options: FlightHandlerOptions): EventHandlerObject<FlightDeparted> {
  const { group, consumer, repair, save } = options;
  return {
    name: group,
    async handle(event, { attempt }) {
      const startedAtUs = nowUs();
      const failure = failureOf(group, event, attempt, repair);
      await save({
        group,
        consumer,
        eventId: event.eventId,
        airport: event.aggregateId,
        version: event.aggregateVersion,
        attempt,
        outcome: failure ? 'failed' : 'handled',
        startedAtUs,
        endedAtUs: nowUs(),
        destination: event.data.destination,
        delayMinutes: event.data.delayMinutes,
      });
      if (failure) throw failure;
    },
  };
}

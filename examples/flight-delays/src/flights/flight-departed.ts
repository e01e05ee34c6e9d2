import { createHash } from 'node:crypto';

import { type DomainEvent, defineEvent, type EventDefinition } from '@omnibus/core';
import { integer, length, number, object, pipe, string } from 'valibot';

import type { FlightRecord } from './flights-file.js';

/** What happened: a flight left its origin, which is the aggregate. */
export interface FlightData extends Readonly<Record<string, unknown>> {
  readonly destination: string;
  readonly delayMinutes: number;
  readonly distanceMiles: number;
}

/** A departure from an airport. */
export type FlightDeparted = DomainEvent<'FlightDeparted', FlightData>;

const wholeNumber = pipe(number(), integer());

/** Checked when publishing and when consuming. */
export const FlightDeparted: EventDefinition<FlightDeparted> = defineEvent('FlightDeparted', {
  aggregateType: 'Airport',
  schema: object({
    destination: pipe(string(), length(3)),
    delayMinutes: wholeNumber,
    distanceMiles: wholeNumber,
  }),
});

/** The records as events, in their order; each airport's versions count from 1. */
export function departuresOf(flights: readonly FlightRecord[]): readonly FlightDeparted[] {
  const versions = new Map<string, number>();
  return flights.map((flight, index) => {
    const version = (versions.get(flight.origin) ?? 0) + 1;
    versions.set(flight.origin, version);
    return FlightDeparted.create({
      eventId: eventIdOf(index),
      aggregateId: flight.origin,
      aggregateVersion: version,
      occurredAt: departureOf(flight),
      data: {
        destination: flight.destination,
        delayMinutes: flight.delay,
        distanceMiles: flight.distance,
      },
    });
  });
}

/** The same record has the same id in every run, so that the same events fail in every run. */
function eventIdOf(index: number): string {
  const hex = createHash('sha256').update(`flights-20k.json#${index}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The file names no time zone. Read as UTC, a run gives the same events on every machine. */
function departureOf({ date }: FlightRecord): Date {
  const [day = '', time = ''] = date.split(' ');
  return new Date(`${day.replaceAll('/', '-')}T${time}:00Z`);
}

import type { FlightDeparted } from './flights/flight-departed.js';
import type { GroupName } from './groups.js';

/** Whether the fix of the board's defect is deployed. Handlers read it at every run. */
export interface Repair {
  deployed: boolean;
}

/** Delays from here on are what the board cannot show before the fix. */
const LONGEST_DELAY_MINUTES = 240;

/** Each group reads another part of the event's id, so that not the same events fail in both. */
const ID_PART: Readonly<Record<GroupName, number>> = { 'delay-board': 0, 'route-count': 9 };

/** Whether the group gives this event up until the fix is deployed. */
export function needsRepair(group: GroupName, event: FlightDeparted): boolean {
  return group === 'delay-board' && event.data.delayMinutes >= LONGEST_DELAY_MINUTES;
}

/** How many attempts at this event fail by bad luck: 1 for two events of a hundred, 2 for one of them. */
export function unluckyAttempts(group: GroupName, eventId: string): number {
  const part = ID_PART[group];
  const draw = Number.parseInt(eventId.slice(part, part + 4), 16) % 100;
  return draw < 2 ? 1 : draw < 3 ? 2 : 0;
}

/** Why this attempt fails, or undefined. The choice is the same in every run. */
export function failureOf(
  group: GroupName,
  event: FlightDeparted,
  attempt: number,
  repair: Repair,
): Error | undefined {
  if (needsRepair(group, event) && !repair.deployed) {
    return new RangeError(`the board has no column for a delay of ${event.data.delayMinutes} minutes`);
  }
  if (attempt <= unluckyAttempts(group, event.eventId)) return new Error('the store did not answer');
  return undefined;
}

import type { EventBus } from '@omnibus/core';

import type { GroupName } from '../groups.js';

/** What a consumer's bus counted by itself. */
export interface BusCounters {
  readonly group: GroupName;
  readonly eventsProcessedSuccess: number;
  readonly eventsProcessedFailed: number;
  readonly retries: number;
  readonly messagesSentToDlq: number;
}

/** The bus's counters as they stand now. */
export function countersOf(group: GroupName, { stats }: EventBus): BusCounters {
  const { eventsProcessedSuccess, eventsProcessedFailed, retries, messagesSentToDlq } = stats;
  return { group, eventsProcessedSuccess, eventsProcessedFailed, retries, messagesSentToDlq };
}

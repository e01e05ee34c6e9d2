import type { EventBus } from '@omnibus/core';

import { formatCount } from './console/format.js';
import type { Progress } from './console/progress.js';
import type { Terminal } from './console/terminal.js';
import type { Consumers } from './consumers/consumers.js';
import type { BusCounters } from './consumers/counters.js';
import {
  countDeadLetters,
  type DeadLetters,
  listAllDeadLetters,
  replayDeadLetters,
  showDeadLetters,
} from './dead-letters.js';
import type { FlightDeparted } from './flights/flight-departed.js';
import { nowUs } from './handler-run.js';
import type { Ledger } from './ledger.js';
import { publishAll } from './publish.js';
import { untilSettled } from './settled.js';

/** Who and what takes part. */
export interface TravelOptions {
  readonly events: readonly FlightDeparted[];
  readonly consumers: Consumers;
  /** Publishes, and looks after the dead letters. */
  readonly bus: EventBus;
  readonly ledger: Ledger;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What the report needs to know of the events' journey, beside the ledger. */
export interface Journey {
  readonly publishedAtUs: number;
  readonly publishedByBus: number;
  /** As listed before the replay. */
  readonly deadLetters: DeadLetters;
  readonly replayedAtUs: number;
  readonly deadLettersLeft: number;
  readonly died: ReadonlySet<string>;
  readonly counters: readonly BusCounters[];
}

/** Publishes the events, waits until every one is handled or given up, deploys the fix and replays what was given up. */
export async function travel(options: TravelOptions): Promise<Journey> {
  const { events, consumers, bus, ledger, terminal, progress, signal } = options;
  const settling = { bus, ledger, signal, eventIds: events.map(({ eventId }) => eventId) };
  const publishedAtUs = nowUs();
  await publishAll(bus, events, signal, (confirmed) => {
    progress.published = confirmed;
    progress.update();
  });
  const complete = await untilSettled(settling);
  progress.end();
  if (!complete) terminal.say('Nothing has moved for a minute, though events are missing: giving up on them');
  const deadLetters = await listAllDeadLetters(bus);
  showDeadLetters(terminal, deadLetters);

  await consumers.deployRepair();
  const replayedAtUs = nowUs();
  const count = countDeadLetters(deadLetters);
  if (count > 0) terminal.say(`The fix is deployed: replaying ${formatCount(count)} dead letters`);
  await replayDeadLetters(bus, deadLetters);
  if (complete) await untilSettled(settling);
  const deadLettersLeft = countDeadLetters(await listAllDeadLetters(bus));
  return {
    publishedAtUs,
    publishedByBus: bus.stats.eventsPublished,
    deadLetters,
    replayedAtUs,
    deadLettersLeft,
    died: consumers.died,
    counters: await consumers.stop(),
  };
}

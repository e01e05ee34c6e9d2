import { type BusConnection, createBus } from '../create-bus.js';
import type { Repair } from '../faults.js';
import { flightHandler } from '../flight-handler.js';
import { FlightDeparted } from '../flights/flight-departed.js';
import { GROUPS } from '../groups.js';
import type { SaveRun } from '../handler-run.js';
import { type BusCounters, countersOf } from './counters.js';

/** What a consumer needs. */
export interface ConsumerOptions {
  readonly name: string;
  readonly connection: BusConnection;
  readonly repair: Repair;
  readonly save: SaveRun;
}

/** A member of both groups. */
export interface Consumer {
  /** Leaves both groups in good order; what its buses counted. */
  stop(): Promise<readonly BusCounters[]>;
}

/** Joins both groups, with a bus for each. Resolves when it handles events. */
export async function startConsumer({ name, connection, repair, save }: ConsumerOptions): Promise<Consumer> {
  const members = GROUPS.map((group) => {
    const bus = createBus(connection, { group, consumerName: name });
    bus.subscribe(FlightDeparted, flightHandler({ group, consumer: name, repair, save }));
    return { group, bus };
  });
  const shutdown = async (): Promise<void> => {
    await Promise.all(members.map(({ bus }) => bus.shutdown()));
  };
  try {
    await Promise.all(members.map(({ bus }) => bus.startConsuming()));
  } catch (error) {
    await shutdown();
    throw error;
  }
  return {
    stop: async () => {
      await shutdown();
      return members.map(({ group, bus }) => countersOf(group, bus));
    },
  };
}

import { setTimeout as pause } from 'node:timers/promises';
import { type History, makeEvents, recordedHandler, recordedPublish } from '@omnibus/conformance-tests';
import type { EventBus } from '@omnibus/core';

const KEYS = 12;
const PAUSE_MS = 5;

/** Makes a bus consume, and tell the history what it handles. */
export async function consumeRecorded(
  bus: EventBus,
  history: History,
  labels: { readonly group: string; readonly consumer: string },
): Promise<void> {
  bus.subscribeToAllEvents(recordedHandler((entry) => history.apply(entry), labels));
  await bus.startConsuming();
}

/** Publishes until it is stopped: the next event of every key when those before are confirmed, so that order has a meaning. */
export class Load {
  private stopped = false;
  private abandoned = false;
  private rounds = 0;
  private readonly running: Promise<void>;

  constructor(
    private readonly bus: EventBus,
    private readonly history: History,
    private readonly name = 'load',
  ) {
    this.running = this.run();
  }

  /** How many events of each key were confirmed. */
  get confirmed(): number {
    return this.rounds;
  }

  /** Resolves when everything that was published is confirmed. */
  stop(): Promise<void> {
    this.stopped = true;
    return this.running;
  }

  /** Gives up what is not confirmed. */
  abandon(): void {
    this.stopped = true;
    this.abandoned = true;
  }

  private async run(): Promise<void> {
    for (; !this.stopped; this.rounds += 1) {
      const keys = Array.from({ length: KEYS }, (_, n) => `${this.name}-${n}`);
      const events = makeEvents({ keys, from: this.rounds + 1 });
      for (let confirmed = false; !confirmed && !this.abandoned; await pause(PAUSE_MS)) {
        confirmed = await recordedPublish((entry) => this.history.apply(entry), this.bus, events, {
          publisher: this.name,
        }).then(
          () => true,
          // Under the same ids it stays the same events.
          () => false,
        );
      }
    }
  }
}

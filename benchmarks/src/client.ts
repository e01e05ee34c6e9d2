import type { Batch } from './events.js';

/** One of the two sides of a measurement: the bus, or a broker's client used by hand for the same work. */
export interface Client {
  /** Connected: the next publish needs no set-up. Every event is acknowledged as durable, on both sides alike. */
  openPublisher(): Promise<Publisher>;
  /** Makes a group, so that what is published from now on is kept for it. */
  createGroup(group: string): Promise<void>;
  /** In its group, as its only member: what the stream holds comes now, from the beginning. */
  openConsumer(spec: ConsumerSpec): Promise<Consumer>;
}

/** Publishes. */
export interface Publisher {
  /** Resolves when the broker has the events. */
  publish(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

/** How events are to be consumed. */
export interface ConsumerSpec {
  /** A group that does not exist yet. */
  readonly group: string;
  /**
   * How many events are handled at once, those of a key one after the other. Undefined: the handler is synchronous, and
   * the client may go through a batch in the simplest way it has.
   */
  readonly concurrency: number | undefined;
  /** Is called once for every event, with the parsed event. */
  readonly handle: (event: unknown) => void | Promise<void>;
}

/** Consumes. */
export interface Consumer {
  /** Commits what was handled and leaves the group. */
  close(): Promise<void>;
}

/** Both sides, on one stream. */
export interface Clients {
  readonly bus: Client;
  readonly raw: Client;
  /** Whether a group that is made later gets what the stream holds. Where it does not, every round has its own backlog. */
  readonly isRetained: boolean;
}

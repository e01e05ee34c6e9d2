import type { Clients } from '../client.js';

/**
 * A broker to measure on. Adding one means: this interface in a file beside this one, a raw client in `clients/`, and a
 * line in `index.ts`. The cells know none of them.
 */
export interface BrokerKind {
  readonly targets: Targets;
  /** Starts it. `report` is told what happens, and what takes long. */
  start(report: (line: string) => void): Promise<RunningBroker>;
  /** The bus and the raw client on a stream of 8 partitions; the bus makes the stream when it connects. */
  clients(address: Address, stream: string): Clients;
  /** Removes the stream. */
  dropStream(address: Address, stream: string): Promise<void>;
}

/** What is to be reached, by the id of the cell: events a second as a multiple of the raw client's; L: ms above it. */
export type Targets = Readonly<Record<'P1' | 'P2' | 'C1' | 'C2' | 'L', number>>;

/** Where a broker is, in a form that can be sent to another process. */
export type Address = readonly string[];

/** A broker that runs. */
export interface RunningBroker {
  readonly address: Address;
  /** Name and version. */
  readonly description: string;
  /** Name and version of the raw client. */
  readonly rawClient: string;
  stop(): Promise<void>;
}

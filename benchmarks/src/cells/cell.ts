import type { Address, Targets } from '../brokers/broker.js';
import type { Clients } from '../client.js';
import type { Plan } from '../measure.js';
import type { Row } from '../report/row.js';

/** What a cell is given. */
export interface CellRun extends Plan {
  /** How many events, before the cell takes its share. */
  readonly events: number;
}

/** What a cell is given that needs a broker. */
export interface BrokerRun extends CellRun {
  readonly broker: CellBroker;
}

interface CellHead {
  readonly id: string;
  readonly title: string;
}

/** Something that is measured on a broker. */
export interface BrokerCell extends CellHead {
  readonly needsBroker: true;
  measure(run: BrokerRun): Promise<readonly Row[]>;
}

/** Something that is measured in core alone. */
export interface CoreCell extends CellHead {
  readonly needsBroker: false;
  measure(run: CellRun): Promise<readonly Row[]>;
}

/** Something that is measured. */
export type Cell = BrokerCell | CoreCell;

/** The broker, as a cell sees it. */
export interface CellBroker {
  readonly name: string;
  readonly address: Address;
  readonly targets: Targets;
  /** A stream that did not exist before; it is removed after the cell. */
  newStream(): OpenStream;
}

/** A stream with both clients. */
export interface OpenStream {
  readonly name: string;
  readonly clients: Clients;
}

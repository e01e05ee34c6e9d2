import type { BusError } from './errors.js';
import type { TransportEvents } from './transport.js';

/**
 * Turns many failing requests into one `disconnected`, and the first that works again into one `reconnected`. Each
 * part of a transport can lose its connection by itself.
 */
export class Outages<Part extends string> {
  private readonly down = new Set<Part>();

  constructor(private readonly events: TransportEvents) {}

  failed(part: Part, cause: BusError): void {
    const first = this.down.size === 0;
    this.down.add(part);
    if (first) this.events.disconnected(cause);
  }

  works(part: Part): void {
    if (this.down.delete(part) && this.down.size === 0) this.events.reconnected();
  }

  get isDown(): boolean {
    return this.down.size > 0;
  }

  /** The part is not used any more. */
  forget(part: Part): void {
    this.works(part);
  }
}

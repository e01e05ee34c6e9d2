import type { BusError } from './errors.js';
import type { TransportEvents } from './transport.js';

/**
 * Turns many failing requests into one `disconnected`, and the first that works again into one `reconnected`. Each
 * part of a transport can lose its connection by itself. Why it cannot be had again before somebody mends something (a
 * user that is not known any more, a right that is gone) is an `error`, once in an outage.
 */
export class Outages<Part extends string> {
  private readonly down = new Set<Part>();
  private readonly told = new Set<string>();

  constructor(private readonly events: TransportEvents) {}

  failed(part: Part, cause: BusError): void {
    const first = this.down.size === 0;
    this.down.add(part);
    if (first) this.events.disconnected(cause);
    else if (!cause.retryable && !this.told.has(cause.code)) this.events.error(cause);
    if (!cause.retryable) this.told.add(cause.code);
  }

  works(part: Part): void {
    if (!this.down.delete(part) || this.down.size > 0) return;
    this.told.clear();
    this.events.reconnected();
  }

  get isDown(): boolean {
    return this.down.size > 0;
  }

  /** The part is not used any more. */
  forget(part: Part): void {
    this.works(part);
  }
}

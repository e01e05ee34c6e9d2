import type { BusError, TransportEvents } from '@omnibus/core/transport';

/** What can lose its connection by itself. */
export type ConnectionPart = 'publishing' | 'membership' | 'fetching';

/** Turns many failing requests into one `disconnected`, and the first that works again into one `reconnected`. */
export class Outages {
  private readonly down = new Set<ConnectionPart>();

  constructor(private readonly events: TransportEvents) {}

  failed(part: ConnectionPart, cause: BusError): void {
    const first = this.down.size === 0;
    this.down.add(part);
    if (first) this.events.disconnected(cause);
  }

  works(part: ConnectionPart): void {
    if (this.down.delete(part) && this.down.size === 0) this.events.reconnected();
  }

  get isDown(): boolean {
    return this.down.size > 0;
  }

  /** The part is not used any more. */
  forget(part: ConnectionPart): void {
    this.works(part);
  }
}

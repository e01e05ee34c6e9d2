import type { BusError } from '@omnibus/core/transport';
import { RedisClient } from './client.js';
import { toBusError } from './errors.js';
import type { RedisConnectionSettings } from './options.js';

/** A stream, and the last position of it that is known. */
export interface WatchedStream {
  readonly stream: string;
  readonly behind: string;
}

/** How a waker tells what happens to its connection. */
export interface WakerEvents {
  works(): void;
  failed(error: BusError): void;
}

/** Short enough for a connection that died unnoticed, long enough to cost nothing. */
const BLOCK_MS = 5_000;

/**
 * Waits for something new, on a connection of its own. It looks with a plain `XREAD`, which gives the entries to nobody:
 * a blocked `XREADGROUP` of a former owner would take entries after the next owner has looked for what is pending.
 */
export class Waker {
  private readonly client: RedisClient;
  private connectionId: number | undefined;
  private waiting: Promise<void> | undefined;

  constructor(
    settings: RedisConnectionSettings,
    name: string,
    private readonly events: WakerEvents,
    /** Ends the wait of the connection with this id, where that can be done. */
    private readonly unblock: ((connectionId: number) => Promise<void>) | undefined,
  ) {
    this.client = new RedisClient(settings, name, events, BLOCK_MS);
    this.client.commands.on('close', () => {
      this.connectionId = undefined;
    });
  }

  connect(): Promise<void> {
    return this.client.connect();
  }

  /** Resolves when one of the streams may have something new. One wait at a time: another joins the one under way. */
  wait(streams: readonly WatchedStream[]): Promise<void> {
    this.waiting ??= this.block(streams).finally(() => {
      this.waiting = undefined;
    });
    return this.waiting;
  }

  /** Ends the wait under way. */
  interrupt(): void {
    if (this.waiting && this.connectionId !== undefined)
      // Without the right to do so the wait ends by itself.
      this.unblock?.(this.connectionId).catch(() => undefined);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async block(streams: readonly WatchedStream[]): Promise<void> {
    const { commands } = this.client;
    try {
      if (this.unblock) this.connectionId ??= Number(await commands.client('ID'));
      await commands.xread(
        'COUNT',
        1,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        ...streams.map(({ stream }) => stream),
        ...streams.map(({ behind }) => behind),
      );
      this.events.works();
    } catch (error) {
      const reason = toBusError(error, 'wait for new events');
      this.events.failed(reason);
      throw reason;
    }
  }
}

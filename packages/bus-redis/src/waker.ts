import { type BusError, delay } from '@omnibus/core/transport';
import { RedisClient } from './client.js';
import { errorWord, toBusError } from './errors.js';
import {
  type KeyMissing,
  type ReadTerms,
  readFenced,
  type StreamEntries,
  type StreamRead,
} from './fenced-read.js';
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
/** The end of a wait may overtake its beginning, which came by another connection: then it is asked for again. */
const END_AGAIN_MS = 10;

/**
 * Waits for something new, on a connection of its own, and reads it. It looks with a plain `XREAD`, which gives the entries
 * to nobody: a blocked `XREADGROUP` of a former owner would take entries after the next owner has looked for what is pending.
 * The fenced read lies at the server behind the one that blocks, and is compared when it is its turn: so what is new comes
 * without another way there and back.
 */
export class Waker {
  private readonly client: RedisClient;
  private connectionId: number | undefined;
  /** Unknown until the server was asked. */
  private mayEnd: boolean | undefined;
  private waiting: AbortController | undefined;
  private blocked: Promise<void> | undefined;
  private ending = false;

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

  /**
   * Whether a wait can be ended: to be asked before each. Without the right to do so nothing may be read with a wait, because
   * until it is over nothing else can be read.
   */
  async canEnd(): Promise<boolean> {
    if (!this.unblock || this.mayEnd === false) return false;
    try {
      this.connectionId ??= Number(await this.client.commands.client('ID'));
      if (this.mayEnd === undefined) await this.unblock(this.connectionId);
      this.mayEnd = true;
      return true;
    } catch (error) {
      if (this.isForbidden(error)) return false;
      throw toBusError(error, 'wait for new events');
    }
  }

  /** Resolves when one of the streams may have something new. One wait at a time: another joins the one under way. */
  async wait(streams: readonly WatchedStream[]): Promise<void> {
    this.blocked ??= this.block(streams).finally(() => {
      this.blocked = undefined;
    });
    try {
      await this.blocked;
      this.events.works();
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Reads when one of the streams may have something new, or when the wait is ended. One at a time. */
  async waitAndRead(
    streams: readonly WatchedStream[],
    reads: readonly StreamRead[],
    terms: ReadTerms,
  ): Promise<StreamEntries | KeyMissing> {
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      // Sent together: the server comes to the second when the first is over, whatever came of it.
      const blocked = this.block(streams);
      const [answer] = await Promise.all([readFenced(this.client.commands, reads, terms), blocked]);
      this.events.works();
      return answer;
    } catch (error) {
      throw this.failed(error);
    } finally {
      this.waiting = undefined;
      this.ending = false;
      waiting.abort();
    }
  }

  /** Ends the wait under way: its read is done at once. */
  end(): void {
    if (!this.waiting || this.ending) return;
    this.ending = true;
    void this.endNow(this.waiting.signal);
  }

  close(): Promise<void> {
    this.waiting?.abort();
    return this.client.close();
  }

  private async endNow(over: AbortSignal): Promise<void> {
    while (!over.aborted && this.connectionId !== undefined && this.mayEnd) {
      // What else fails here fails in the wait as well, and is told there.
      await this.unblock?.(this.connectionId).catch((error) => this.isForbidden(error));
      await delay(END_AGAIN_MS, over);
    }
  }

  private isForbidden(error: unknown): boolean {
    if (errorWord(error) !== 'NOPERM') return false;
    this.mayEnd = false;
    return true;
  }

  private async block(streams: readonly WatchedStream[]): Promise<void> {
    await this.client.commands.xread(
      'COUNT',
      1,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      ...streams.map(({ stream }) => stream),
      ...streams.map(({ behind }) => behind),
    );
  }

  private failed(error: unknown): BusError {
    const reason = toBusError(error, 'wait for new events');
    this.events.failed(reason);
    return reason;
  }
}

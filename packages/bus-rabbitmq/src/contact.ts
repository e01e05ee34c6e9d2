import { Elapsed } from '@omnibus/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { answered } from './client.js';

/** Times of a contact. */
export interface ContactSettings {
  /** How often the broker is asked for an answer. */
  readonly intervalMs: number;
  /** How long the broker keeps a connection over which nothing comes, at least. */
  readonly limitMs: number;
  /** How long the broker may take to open the channel. */
  readonly requestTimeoutMs: number;
}

/**
 * Whether the broker must still keep a connection, and with it what is consumed there. It counts from the last bytes that
 * it received: not before the newest request that it answered had left. So this process stops before others can begin,
 * whether it stood still itself or only its bytes do not arrive.
 */
export class Contact {
  /** The newest request that was answered left. */
  private sinceSent = new Elapsed();
  private isOver = false;
  private isAsking = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly channel: Channel,
    private readonly settings: ContactSettings,
    private readonly lost: (silentMs: number) => void,
  ) {
    this.timer = setInterval(() => this.tick(), settings.intervalMs);
  }

  /** `lost` is called once, when the broker may have given the connection up. */
  static async over(
    model: ChannelModel,
    settings: ContactSettings,
    lost: (silentMs: number) => void,
  ): Promise<Contact> {
    const channel = await answered(settings.requestTimeoutMs, model.createChannel());
    // The connection tells of its end.
    channel.on('error', () => undefined);
    return new Contact(channel, settings, lost);
  }

  /** Asked before every handler: after a process stood still, theirs may be the first timers. Once false it stays so. */
  get isKept(): boolean {
    if (this.isOver) return false;
    const silentMs = this.sinceSent.ms;
    if (silentMs <= this.settings.limitMs) return true;
    this.close();
    setImmediate(() => this.lost(silentMs));
    return false;
  }

  /** The connection is gone. */
  close(): void {
    this.isOver = true;
    clearInterval(this.timer);
  }

  private tick(): void {
    if (!this.isAsking) void this.ask();
    // An answer may have come while this process was busy: it is read before the verdict.
    setImmediate(() => this.isKept);
  }

  private async ask(): Promise<void> {
    const sent = new Elapsed();
    this.isAsking = true;
    try {
      // Changes nothing here; the broker answers it, whatever version it has.
      await this.channel.prefetch(0);
      this.sinceSent = sent;
    } catch {
      // Without answers the limit comes.
    } finally {
      this.isAsking = false;
    }
  }
}

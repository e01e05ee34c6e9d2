import type { Channel } from 'amqplib';
import type { Link } from './link.js';
import { type PresenceMessage, presenceHeaders } from './presence.js';

const EMPTY = Buffer.alloc(0);

/**
 * Sends what members tell each other. Over the connection of publishing: the broker's alarms stop a connection that
 * publishes, and one that consumes must always be able to acknowledge.
 */
export class Announcer {
  private channel: Promise<Channel> | undefined;

  constructor(private readonly link: Link) {}

  /** May be lost. */
  announce(exchange: string, message: PresenceMessage): void {
    if (!this.link.isUp || this.link.isHeldBack) return;
    this.channel ??= this.open();
    this.channel
      .then((channel) =>
        channel.publish(exchange, '', EMPTY, { type: message.kind, headers: presenceHeaders(message) }),
      )
      .catch(() => undefined);
  }

  private open(): Promise<Channel> {
    const opening = Promise.resolve()
      .then(() => this.link.model.createChannel())
      .then((channel) => {
        channel.on('error', () => undefined);
        channel.once('close', forget);
        return channel;
      });
    const forget = (): void => {
      if (this.channel === opening) this.channel = undefined;
    };
    opening.catch(forget);
    return opening;
  }
}

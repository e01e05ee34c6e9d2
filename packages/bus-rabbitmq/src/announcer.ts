import type { BusError } from '@omnibus/core/transport';
import type { Channel } from 'amqplib';
import { toBusError } from './errors.js';
import type { Link } from './link.js';
import { type PresenceMessage, presenceHeaders } from './presence.js';

const EMPTY = Buffer.alloc(0);

/**
 * Sends what members tell each other. Over the connection of publishing: the broker's alarms stop a connection that
 * publishes, and one that consumes must always be able to acknowledge.
 */
export class Announcer {
  private channel: Promise<Channel> | undefined;

  constructor(
    private readonly link: Link,
    /** This process may not tell the others anything: they take its partitions for free. */
    private readonly refused: (error: BusError) => void,
  ) {}

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
        channel.on('error', (cause) => {
          const error = toBusError(cause, 'tell the other members of the group that this one is there');
          if (error.code === 'AUTHORIZATION') this.refused(error);
        });
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

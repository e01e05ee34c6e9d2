import { BusError, delay } from '@omnibus/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { onChannel } from './client.js';
import { withLock } from './lock.js';

const RETURN_POLL_MS = 5;

/** Where the journals of a group are. */
export interface JournalPlace {
  /** One queue per partition, which keeps the last message. */
  readonly queues: readonly string[];
  readonly lock: string;
  readonly timeoutMs: number;
}

/**
 * Reads the journals of a group. Whoever reads a message holds it, and nobody else sees it meanwhile: so one process reads
 * at a time, and lets go when everything is back in its place.
 */
export class Journals {
  private reading: Promise<ReadonlyMap<number, string>> | undefined;
  private following: Promise<ReadonlyMap<number, string>> | undefined;

  constructor(
    private readonly model: () => ChannelModel,
    private readonly place: JournalPlace,
  ) {}

  /** As they stand now, or later. Calls made while they are read share the reading behind it. */
  read(): Promise<ReadonlyMap<number, string>> {
    if (!this.reading) return this.begin();
    if (!this.following) {
      const next = (): Promise<ReadonlyMap<number, string>> => {
        this.following = undefined;
        return this.reading ?? this.begin();
      };
      this.following = this.reading.then(next, next);
    }
    return this.following;
  }

  private begin(): Promise<ReadonlyMap<number, string>> {
    const reading = this.readAll().finally(() => {
      if (this.reading === reading) this.reading = undefined;
    });
    this.reading = reading;
    return reading;
  }

  private async readAll(): Promise<ReadonlyMap<number, string>> {
    const model = this.model();
    const { queues, lock, timeoutMs } = this.place;
    return withLock(model, lock, timeoutMs, () =>
      onChannel(model, timeoutMs, async (channel) => {
        const found = new Map<number, string>();
        for (const [partition, queue] of queues.entries()) {
          const text = await lastOf(channel, queue);
          if (text !== undefined) found.set(partition, text);
        }
        for (const partition of found.keys())
          await returned(channel, queues[partition] as string, Date.now() + timeoutMs);
        return found;
      }),
    );
  }
}

async function lastOf(channel: Channel, queue: string): Promise<string | undefined> {
  let text: string | undefined;
  for (let message = await channel.get(queue); message; message = await channel.get(queue))
    text = message.content.toString();
  if (text !== undefined) channel.nackAll(true);
  return text;
}

/** Resolves when somebody else would find it again. */
async function returned(channel: Channel, queue: string, deadlineMs: number): Promise<void> {
  while ((await channel.checkQueue(queue)).messageCount === 0) {
    if (Date.now() > deadlineMs) throw new BusError('TIMEOUT', `${queue} does not take its message back`);
    await delay(RETURN_POLL_MS);
  }
}

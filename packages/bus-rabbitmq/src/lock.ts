import { BusError, delay } from '@omnibus/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { answered, closeChannel } from './client.js';
import { replyCodeOf } from './errors.js';

const RESOURCE_LOCKED = 405;
const RETRY_MS = 10;

/**
 * Does something that only one process may do at a time. The lock is an exclusive queue: the broker lets one connection
 * have it, and removes it when that connection ends.
 */
export async function withLock<T>(
  model: ChannelModel,
  name: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const channel = await lock(model, name, timeoutMs);
  try {
    return await work();
  } finally {
    await answered(timeoutMs, channel.deleteQueue(name)).catch(() => undefined);
    await closeChannel(channel, timeoutMs);
  }
}

async function lock(model: ChannelModel, name: string, timeoutMs: number): Promise<Channel> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const channel = await answered(timeoutMs, model.createChannel());
    channel.on('error', () => undefined);
    try {
      await answered(timeoutMs, channel.assertQueue(name, { exclusive: true, durable: false }));
      return channel;
    } catch (error) {
      if (replyCodeOf(error) !== RESOURCE_LOCKED) throw error;
      if (Date.now() > deadlineMs)
        throw new BusError('TIMEOUT', `Another process keeps ${name} for too long`, { cause: error });
      await delay(RETRY_MS * (1 + Math.random()));
    }
  }
}

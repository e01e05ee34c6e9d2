import { randomUUID } from 'node:crypto';
import { deferred, type InboundRecord } from '@omnibus/core/transport';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { closeChannel } from './client.js';
import { toBusError } from './errors.js';
import { recordOf } from './message.js';
import { partitionOfKey } from './names.js';

/** What reading the stream needs of the connection. */
export interface HistoryHost {
  readonly queue: string;
  readonly partitions: number;
  readonly timeoutMs: number;
  model(): ChannelModel;
  writeMarker(queue: string, id: string, type: string): Promise<void>;
}

/** A record of the stream. */
export interface Entry {
  readonly offset: number;
  readonly partition: number;
  readonly record: InboundRecord;
}

/** Where a stream is read from: as the broker wants it. */
export type StreamOffset = 'first' | number | { readonly '!': 'timestamp'; readonly value: number };

const PREFETCH = 500;
const OFFSET = 'x-stream-offset';
const MARKER = 'omnibus.end-of-history';

/** Writes a message that says where the end is now: what was confirmed before lies before it. */
export async function markEnd(host: HistoryHost): Promise<string> {
  const marker = randomUUID();
  await host.writeMarker(host.queue, marker, MARKER);
  return marker;
}

/** Everything from there up to the marker, as it comes; the broker sends no more than is read. */
export async function* readStream(
  host: HistoryHost,
  offset: StreamOffset,
  marker: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly Entry[]> {
  const arrived = new Arrivals();
  const channel = await host.model().createChannel();
  channel.on('error', (error: Error) => arrived.end(error));
  channel.on('close', () => arrived.end(new Error('The channel was closed')));
  const aborted = (): void => arrived.end();
  signal?.addEventListener('abort', aborted);
  try {
    await channel.prefetch(PREFETCH);
    const options = { arguments: { 'x-stream-offset': offset } };
    await channel.consume(host.queue, (message) => arrived.push(message), options);
    // The given marker lies before a place that is yet to come; this one lies behind every place.
    const ends = new Set([marker, await markEnd(host)]);
    for (;;) {
      const messages = await arrived.next();
      if (!messages || signal?.aborted) return;
      const end = messages.findIndex(({ properties }) => ends.has(String(properties.messageId)));
      yield entriesOf(host, end === -1 ? messages : messages.slice(0, end));
      if (end !== -1) return;
      acknowledge(channel, messages);
    }
  } catch (error) {
    throw toBusError(error, `read ${host.queue}`);
  } finally {
    signal?.removeEventListener('abort', aborted);
    await closeChannel(channel, host.timeoutMs);
  }
}

function entriesOf({ partitions }: HistoryHost, messages: readonly ConsumeMessage[]): Entry[] {
  return messages
    .filter(({ properties }) => properties.type !== MARKER)
    .map((message) => {
      const record = recordOf(message);
      const { [OFFSET]: offset, ...headers } = record.headers;
      const partition = partitionOfKey(message.fields.routingKey, partitions);
      return { offset: Number(offset), partition, record: { ...record, headers } };
    });
}

function acknowledge(channel: Channel, messages: readonly ConsumeMessage[]): void {
  const last = messages.at(-1);
  if (last) channel.ack(last, true);
}

/** What the broker pushed and nobody has read. */
class Arrivals {
  private messages: ConsumeMessage[] = [];
  private changed = deferred();
  private error: Error | undefined;
  private isOver = false;

  push(message: ConsumeMessage | null): void {
    if (message === null) this.end(new Error('The history was deleted'));
    else this.messages.push(message);
    this.changed.resolve();
  }

  end(error?: Error): void {
    this.isOver = true;
    this.error ??= error;
    this.changed.resolve();
  }

  /** Undefined at the end. */
  async next(): Promise<ConsumeMessage[] | undefined> {
    while (this.messages.length === 0) {
      if (this.error) throw this.error;
      if (this.isOver) return undefined;
      this.changed = deferred();
      await this.changed.promise;
    }
    return this.messages.splice(0);
  }
}

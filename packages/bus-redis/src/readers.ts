import type { ClientEvents, RedisClient } from './client.js';
import type { RedisConnectionSettings } from './options.js';
import type { OwnedPartition } from './owned-partition.js';
import { Reader, type ReaderEvents, type ReaderSettings } from './reader.js';
import type { Topology } from './topology.js';
import { Waker } from './waker.js';

/** How readers tell what happens to them. */
export interface ReadersEvents extends ReaderEvents {
  readonly waiting: ClientEvents;
}

/** Reads all partitions of a member: one reader for those that lie together. */
export class Readers {
  private readonly waker: Waker;
  private readonly reader: Reader;

  constructor(
    client: RedisClient,
    topology: Topology,
    settings: ReaderSettings & RedisConnectionSettings,
    events: ReadersEvents,
  ) {
    const { commands } = client;
    this.waker = new Waker(settings, settings.consumerName, events.waiting, async (connectionId) => {
      await commands.client('UNBLOCK', connectionId);
    });
    this.reader = new Reader(commands, topology, this.waker, settings, events);
  }

  connect(): Promise<void> {
    return this.waker.connect();
  }

  add(partition: OwnedPartition): void {
    this.reader.add(partition);
  }

  remove(partition: OwnedPartition): void {
    this.reader.remove(partition);
  }

  wake(_partition: OwnedPartition): void {
    this.reader.wake();
  }

  async close(): Promise<void> {
    this.reader.close();
    await this.waker.close();
  }
}

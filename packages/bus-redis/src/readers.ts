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

interface Reading {
  readonly reader: Reader;
  readonly waker: Waker;
}

/** On a single server one reader has all partitions. */
const ALL = -1;

/**
 * Reads all partitions of a member: one reader, with a connection that waits, for those that lie together. In a Cluster
 * that is one for each partition, because nobody can wait for streams of two slots at once.
 */
export class Readers {
  private readonly readings = new Map<number, Reading>();

  constructor(
    private readonly client: RedisClient,
    private readonly topology: Topology,
    private readonly settings: ReaderSettings & RedisConnectionSettings,
    private readonly events: ReadersEvents,
  ) {}

  /** In a Cluster connections are made as partitions come. */
  async connect(): Promise<void> {
    if (!this.client.isCluster) await this.begin(ALL);
  }

  add(partition: OwnedPartition): void {
    const key = this.keyOf(partition);
    // Without the connection nothing waits for what is new, but it is read all the same, a little later.
    if (!this.readings.has(key)) this.begin(key).catch(this.events.waiting.failed);
    this.readings.get(key)?.reader.add(partition);
  }

  remove(partition: OwnedPartition): void {
    this.readings.get(this.keyOf(partition))?.reader.remove(partition);
  }

  /** The partition may be read again. */
  wake(partition: OwnedPartition): void {
    this.readings.get(this.keyOf(partition))?.reader.wake();
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.readings.values()].map(({ reader, waker }) => {
        reader.close();
        return waker.close();
      }),
    );
  }

  private begin(key: number): Promise<void> {
    const { client, topology, settings, events } = this;
    const { commands, isCluster } = client;
    const waker = new Waker(
      settings,
      settings.consumerName,
      events.waiting,
      isCluster
        ? undefined
        : async (connectionId) => {
            await commands.client('UNBLOCK', connectionId);
          },
    );
    this.readings.set(key, { waker, reader: new Reader(commands, topology, waker, settings, events) });
    return waker.connect();
  }

  private keyOf({ partition }: OwnedPartition): number {
    return this.client.isCluster ? partition : ALL;
  }
}

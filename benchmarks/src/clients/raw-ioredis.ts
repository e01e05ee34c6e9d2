import { partitionOf } from '@omnibus/core/transport';
import { type ChainableCommander, Redis } from 'ioredis';

import type { Client, Consumer, ConsumerSpec, Publisher } from '../client.js';
import type { PlainEvent } from '../events.js';
import { KeyLanes } from './key-lanes.js';

const PARTITIONS = 8;
/** Entries that one read brings, of all streams together. More at once is slower. */
const READ_COUNT = 1_000;
const BLOCK_MS = 1_000;
/** How often the bus acknowledges. */
const ACK_INTERVAL_MS = 5;
/** Unhandled events at which reading waits: what the bus holds. */
const MAX_UNHANDLED = 4_096;

type Entry = readonly [id: string, fields: string[]];
type Reply = readonly (readonly [stream: string, entries: readonly Entry[]])[] | null;
/** What becomes of entries that were read. */
interface Work {
  take(stream: string, entry: Entry): void;
  /** Resolves when more may be read. */
  room(): Promise<void>;
}

/** ioredis used by hand, as well as it allows: see the README for what that means. */
export class RawIoredis implements Client {
  private readonly streams: readonly string[];

  constructor(
    private readonly url: string,
    stream: string,
  ) {
    this.streams = Array.from({ length: PARTITIONS }, (_, i) => (i === 0 ? stream : `${stream}:${i}`));
  }

  async openPublisher(): Promise<Publisher> {
    const client = new Redis(this.url, { enableAutoPipelining: true });
    await client.ping();
    return {
      publish: async ({ plain }) => {
        const [only] = plain;
        if (plain.length === 1 && only) await client.xadd(...this.entryOf(only));
        else await this.appendAll(client.pipeline(), plain);
      },
      close: async () => client.disconnect(),
    };
  }

  createGroup(): Promise<void> {
    return Promise.resolve();
  }

  /** Waiting blocks a connection: acknowledgements have one of their own. */
  async openConsumer({ group, concurrency, handle }: ConsumerSpec): Promise<Consumer> {
    const reader = new Redis(this.url);
    const acknowledger = new Redis(this.url);
    for (const stream of this.streams) await acknowledger.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
    const acks = new Acknowledgements(acknowledger, group);
    const work =
      concurrency === undefined ? inBatches(handle, acks) : inLanes(new KeyLanes(concurrency, handle), acks);
    let closed = false;
    const reading = this.readOn(reader, group, work, () => closed);
    return {
      close: async () => {
        closed = true;
        reader.disconnect();
        await reading.catch(() => undefined);
        await acks.close();
        acknowledger.disconnect();
      },
    };
  }

  private async readOn(reader: Redis, group: string, work: Work, isClosed: () => boolean): Promise<void> {
    const { streams } = this;
    const count = READ_COUNT / streams.length;
    const news = streams.map(() => '>');
    for (await work.room(); !isClosed(); await work.room()) {
      const reply = (await reader.xreadgroup(
        'GROUP',
        group,
        'raw',
        'COUNT',
        count,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        ...streams,
        ...news,
      )) as Reply;
      for (const [stream, entries] of reply ?? []) for (const entry of entries) work.take(stream, entry);
    }
  }

  private async appendAll(pipeline: ChainableCommander, plain: readonly PlainEvent[]): Promise<void> {
    for (const event of plain) pipeline.xadd(...this.entryOf(event));
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }

  private entryOf(
    event: PlainEvent,
  ): [stream: string, id: '*', key: string, aggregateId: string, body: string, json: string] {
    const stream = this.streams[partitionOf(event.aggregate_id, PARTITIONS)] ?? '';
    return [stream, '*', 'aggregate_id', event.aggregate_id, 'payload', JSON.stringify(event)];
  }
}

/** Acknowledges in pipelines, without anybody waiting for it. */
class Acknowledgements {
  private readonly done = new Map<string, string[]>();
  private readonly timer = setInterval(() => void this.send(), ACK_INTERVAL_MS);

  constructor(
    private readonly client: Redis,
    private readonly group: string,
  ) {}

  add(stream: string, id: string): void {
    const ids = this.done.get(stream);
    if (ids) ids.push(id);
    else this.done.set(stream, [id]);
  }

  async send(): Promise<void> {
    if (this.done.size === 0) return;
    const pipeline = this.client.pipeline();
    for (const [stream, ids] of this.done) pipeline.xack(stream, this.group, ...ids);
    this.done.clear();
    await pipeline.exec();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.send();
  }
}

/** The simplest way through what was read. */
function inBatches(handle: ConsumerSpec['handle'], acks: Acknowledgements): Work {
  return {
    take: (stream, [id, fields]) => {
      void handle(JSON.parse(fieldOf(fields, 'payload')));
      acks.add(stream, id);
    },
    room: async () => void acks.send(),
  };
}

/** What somebody has to write who wants order per key and more than one event at once. */
function inLanes(lanes: KeyLanes, acks: Acknowledgements): Work {
  return {
    take: (stream, [id, fields]) =>
      lanes.add(fieldOf(fields, 'aggregate_id'), fieldOf(fields, 'payload'), () => acks.add(stream, id)),
    room: () =>
      new Promise((resolve) => {
        if (lanes.unhandled <= MAX_UNHANDLED) resolve();
        else lanes.whenBelow(MAX_UNHANDLED / 2, resolve);
      }),
  };
}

function fieldOf(fields: readonly string[], name: string): string {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1] ?? '';
  return '';
}

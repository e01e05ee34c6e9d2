import { randomUUID } from 'node:crypto';
import { BusError, type OutboundRecord } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { fieldsOf } from './entry.js';
import { toBusError } from './errors.js';
import type { RedisSettings } from './options.js';
import { packTexts } from './packed-texts.js';
import { append } from './scripts.js';
import type { Topology } from './topology.js';

/** What a publisher needs to know. */
export interface PublisherSettings extends Pick<RedisSettings, 'durability'> {
  /** How long a record may be sent again, in milliseconds. */
  readonly rememberMs: number;
}

/** How a publisher tells what happens to it. */
export interface PublisherEvents {
  /** The server answers. */
  works(): void;
  failed(error: BusError): void;
  /** Why there will be no connection before somebody mends it. */
  refusal(): BusError | undefined;
}

/** The records of one partition in one send, and their places in it. */
interface Batch {
  readonly partition: number;
  readonly records: OutboundRecord[];
  readonly indexes: number[];
}

/**
 * Appends records to the partition streams. Every record has a number, the same whenever it is sent, and the server
 * remembers the last one: what is sent again because an answer was lost is stored once, and a command that a dead
 * connection left behind cannot store anything late.
 */
export class Publisher {
  private readonly id = randomUUID();
  private readonly numbers = new WeakMap<OutboundRecord, number>();
  /** Partitions of which the server remembers a number that nothing on its way could need any more. */
  private readonly certain = new Set<number>();
  private lastNumber = 0;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly settings: PublisherSettings,
    private readonly events: PublisherEvents,
  ) {}

  /** An error per record that is not known to be stored, by its index. Never rejects. */
  async send(records: readonly OutboundRecord[]): Promise<Map<number, BusError>> {
    const failures = new Map<number, BusError>();
    const batches = this.batchesOf(records);
    const { replicas, fsync } = this.settings.durability;
    if (replicas > 0 || fsync) await this.appendDurably(batches, failures);
    else await Promise.all(batches.map((batch) => this.append(batch, failures)));
    return failures;
  }

  /** Lets the server forget what it remembers of this publisher. */
  async leave(): Promise<void> {
    const { keys } = this.topology;
    await Promise.all(
      [...this.certain].map((partition) => this.commands.del(keys.publisher(partition, this.id))),
    );
  }

  private batchesOf(records: readonly OutboundRecord[]): readonly Batch[] {
    const batches = new Map<number, Batch>();
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index] as OutboundRecord;
      let batch = batches.get(record.partition);
      if (!batch) {
        batch = { partition: record.partition, records: [], indexes: [] };
        batches.set(record.partition, batch);
      }
      batch.records.push(record);
      batch.indexes.push(index);
    }
    return [...batches.values()];
  }

  private async append(batch: Batch, failures: Map<number, BusError>): Promise<void> {
    const { keys } = this.topology;
    const stream = keys.streamOf(batch.partition);
    const doing = `publish to ${stream}`;
    const texts = batch.records.map((record) => [this.numberOf(record), ...fieldsOf(record)]);
    try {
      const answer = await append.run(
        this.commands,
        [stream, keys.publisher(batch.partition, this.id)],
        [this.settings.rememberMs, packTexts(texts)],
      );
      const [stored, refused] = answer as readonly [number, Buffer | null];
      this.events.works();
      this.certain.add(batch.partition);
      if (refused !== null) fail(failures, batch, stored, toBusError(new Error(refused.toString()), doing));
    } catch (error) {
      const reason = this.events.refusal() ?? toBusError(error, doing);
      this.certain.delete(batch.partition);
      fail(failures, batch, 0, reason);
      this.events.failed(reason);
    }
  }

  private numberOf(record: OutboundRecord): number {
    let number = this.numbers.get(record);
    if (number === undefined) {
      this.lastNumber += 1;
      number = this.lastNumber;
      this.numbers.set(record, number);
    }
    return number;
  }

  /**
   * Waits until what was appended is also where the durability asks for it. Node by node, and at once: a server answers for
   * what came on the same connection, and that must not be another one by then.
   */
  private async appendDurably(batches: readonly Batch[], failures: Map<number, BusError>): Promise<void> {
    const byPartition = new Map(batches.map((batch) => [batch.partition, batch] as const));
    await Promise.all(
      this.topology.together([...byPartition.keys()]).map(async (partitions) => {
        const appended = partitions.map((partition) => byPartition.get(partition) as Batch);
        await Promise.all(appended.map((batch) => this.append(batch, failures)));
        const error = await this.missingCopies(partitions[0] ?? 0);
        if (error) for (const batch of appended) fail(failures, batch, 0, error);
      }),
    );
  }

  private async missingCopies(partition: number): Promise<BusError | undefined> {
    const { replicas, fsync, timeoutMs } = this.settings.durability;
    const stream = this.topology.keys.streamOf(partition);
    const doing = `make sure that ${stream} is stored durably`;
    try {
      // The first command names the node that the second is about: that of the stream.
      const pipeline = this.commands.pipeline().exists(stream);
      if (fsync) pipeline.call('WAITAOF', 1, replicas, timeoutMs);
      else pipeline.wait(replicas, timeoutMs);
      const lost = [new Error('Connection is closed.'), undefined] as const;
      const [[moved] = lost, [failed, reply] = lost] = (await pipeline.exec()) ?? [];
      // Where the stream lies no more, the answer is about something else.
      if (moved ?? failed) throw moved ?? failed;
      const [local, copies] = Array.isArray(reply) ? reply.map(Number) : [1, Number(reply)];
      if ((local ?? 0) > 0 && (copies ?? 0) >= replicas) return undefined;
      return new BusError(
        'BROKER',
        `Could not ${doing}: within ${timeoutMs} ms ${copies} of ${replicas} replicas${fsync ? ` and ${local} of 1 disk` : ''} had it`,
      );
    } catch (error) {
      const reason = toBusError(error, doing);
      this.events.failed(reason);
      return reason;
    }
  }
}

/** Those from the `stored`-th on are not stored, or not for certain. */
function fail(failures: Map<number, BusError>, { indexes }: Batch, stored: number, error: BusError): void {
  for (const index of indexes.slice(stored)) if (!failures.has(index)) failures.set(index, error);
}

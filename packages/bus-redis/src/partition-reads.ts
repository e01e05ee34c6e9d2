import type { InboundRecord } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { type RawEntry, recordOf } from './entry.js';
import { KeyMissing, type ReadTerms, type StreamEntries, type StreamRead } from './fenced-read.js';
import type { OwnedPartition } from './owned-partition.js';
import { stand } from './scripts.js';
import type { Topology } from './topology.js';

/** For whom partitions are read. */
export interface ReadOwner {
  readonly group: string;
  readonly consumerName: string;
}

/** How reads tell what the server refused. */
export interface RefusedReads {
  /** The partition is owned no more. */
  refused(partition: OwnedPartition): void;
  /** The stream or the group is gone. */
  groupMissing(partition: OwnedPartition): void;
}

/** What was read of one partition. */
export interface Delivery {
  readonly partition: OwnedPartition;
  readonly records: readonly InboundRecord[];
  /** Positions of entries that were deleted. */
  readonly gone: readonly string[];
  /** Position of the last entry; undefined when nothing was there. */
  readonly last: string | undefined;
  /** There is more, as far as the read can tell. */
  readonly more: boolean;
}

/** Sends a read to the server. */
export type Send = (reads: readonly StreamRead[], terms: ReadTerms) => Promise<StreamEntries | KeyMissing>;

/** What is asked for partitions, by the tokens of their leases, and what the answers mean for them. */
export class PartitionReads {
  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly owner: ReadOwner,
    private readonly events: RefusedReads,
  ) {}

  /** Asks where the group stands. */
  async locate(partitions: readonly OwnedPartition[]): Promise<void> {
    if (partitions.length === 0) return;
    const answers = (await stand.run(
      this.commands,
      partitions.map(({ partition }) => this.topology.keys.streamOf(partition)),
      [this.owner.group],
    )) as readonly (Buffer | null)[];
    partitions.forEach((partition, index) => {
      partition.standsAt(answers[index]?.toString());
    });
  }

  /** Nothing when one of the partitions could not be read: then none was. */
  async ask(partitions: readonly OwnedPartition[], count: number, send: Send): Promise<readonly Delivery[]> {
    const { keys } = this.topology;
    const { group, consumerName } = this.owner;
    const tokens = partitions.map(({ lease }) => lease.token);
    const reads = partitions.map(({ partition, readFrom }, index) => ({
      stream: keys.streamOf(partition),
      pass: keys.pass(partition, group, tokens[index] as string),
      behind: readFrom,
    }));
    try {
      const answer = await send(reads, { group, consumerName, count });
      if (answer instanceof KeyMissing) {
        this.missing(answer.kind, partitions[answer.index] as OwnedPartition, tokens[answer.index] as string);
        return [];
      }
      return partitions.map((partition, index) => deliveryOf(partition, answer[index] ?? [], count));
    } catch (error) {
      for (const partition of partitions) partition.readLost();
      throw error;
    }
  }

  private missing(kind: KeyMissing['kind'], partition: OwnedPartition, token: string): void {
    if (kind === 'stream') this.events.groupMissing(partition);
    // Another token on the way: the read that follows it tells.
    else if (!partition.lease.isDoubted && partition.lease.token === token) this.events.refused(partition);
  }
}

function deliveryOf(partition: OwnedPartition, entries: readonly RawEntry[], count: number): Delivery {
  const { readsPending } = partition;
  return {
    partition,
    records: entries.filter(([, fields]) => fields !== null).map((entry) => recordOf(entry, readsPending)),
    gone: entries.filter(([, fields]) => fields === null).map(([id]) => id.toString()),
    last: entries[entries.length - 1]?.[0].toString(),
    more: readsPending || entries.length >= count,
  };
}

import { ConfigurationError, type GroupSpec, type PartitionLag } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { errorWord, toBusError } from './errors.js';
import type { Keys } from './keys.js';
import { inspect } from './scripts.js';

/** Where a stream begins and ends, and where a group stands in it. */
export interface StreamView {
  readonly first: string;
  readonly last: string;
  readonly length: number;
  /** Entries that were ever added; more than `length` when some were trimmed or deleted. */
  readonly added: number;
  /** Last position that the group was given; undefined without the group. */
  readonly groupStands: string | undefined;
  readonly pending: number;
  /** Entries that the group was not given yet; undefined when the server does not know. */
  readonly undelivered: number | undefined;
}

const COUNT_PAGE = 1_000;

/** The streams of one bus, and the groups on them. Never removes what it did not make. */
export class Topology {
  private known: number;

  constructor(
    private readonly commands: Commands,
    readonly keys: Keys,
    private readonly wanted: number,
  ) {
    this.known = wanted;
  }

  /** The same, seen through another client. */
  on(commands: Commands): Topology {
    const topology = new Topology(commands, this.keys, this.wanted);
    topology.known = this.known;
    return topology;
  }

  /** How many partitions the stream has. */
  get partitions(): number {
    return this.known;
  }

  get all(): readonly number[] {
    return Array.from({ length: this.known }, (_, partition) => partition);
  }

  /**
   * Partitions that one script can act on: all of them on a single server; in a Cluster each by itself, for each lies in
   * a slot of its own.
   */
  together(partitions: readonly number[]): readonly (readonly number[])[] {
    if (partitions.length === 0) return [];
    return this.commands.isCluster ? partitions.map((partition) => [partition]) : [partitions];
  }

  /** Makes sure that everybody on the stream spreads keys over the same partitions. */
  async ensure(): Promise<void> {
    const { commands, keys, wanted } = this;
    try {
      let stored = await commands.get(keys.partitions);
      // Who finds it needs no right to write it. Deleted between the two: then nobody has said how many there are.
      while (stored === null) {
        await commands.setnx(keys.partitions, wanted);
        stored = await commands.get(keys.partitions);
      }
      if (Number(stored) < wanted) throw fewerPartitions(keys, Number(stored), wanted);
      this.known = Number(stored);
    } catch (error) {
      throw toBusError(error, `look at the stream ${keys.stream}`);
    }
  }

  /** Groups on partition 0 that are not on the others: of services that know only this one. */
  async foreignGroups(): Promise<readonly string[]> {
    if (this.known === 1) return [];
    const [single, ours] = await Promise.all([this.groupsOn(0), this.groupsOn(1)]);
    return single.filter((group) => !ours.includes(group));
  }

  /** Gives the group its start in every partition where it has none. */
  async ensureGroup({ name, startFrom }: GroupSpec): Promise<void> {
    const start = startFrom === 'latest' ? '$' : '0';
    await Promise.all(
      this.all.map(async (partition) => {
        try {
          await this.commands.xgroup('CREATE', this.keys.streamOf(partition), name, start, 'MKSTREAM');
        } catch (error) {
          if (errorWord(error) !== 'BUSYGROUP') throw error;
        }
      }),
    );
  }

  /** Removes the group and what members left beside it. */
  async removeGroup(group: string): Promise<void> {
    const { commands, keys } = this;
    await Promise.all(
      this.all.map(async (partition) => {
        await commands.xgroup('DESTROY', keys.streamOf(partition), group);
        await commands.del(
          keys.lease(partition, group),
          keys.journal(partition, group),
          keys.members(partition, group),
        );
      }),
    );
  }

  async lag(group: string): Promise<readonly PartitionLag[]> {
    const views = await this.view(group);
    return Promise.all(
      views.map(async ({ groupStands, pending, undelivered, length }, partition) => {
        if (groupStands === undefined) return { partition, lag: length };
        return {
          partition,
          lag: pending + (undelivered ?? (await this.countBehind(partition, groupStands))),
        };
      }),
    );
  }

  /** Of every partition. */
  async view(group = ''): Promise<readonly StreamView[]> {
    const answers = await Promise.all(
      this.together(this.all).map((partitions) =>
        inspect.run(
          this.commands,
          partitions.map((partition) => this.keys.streamOf(partition)),
          [group],
        ),
      ),
    );
    return (answers as InspectReply[][]).flat().map(viewOf);
  }

  /** After deletions in its middle the server no longer knows how long the rest of a stream is. */
  private async countBehind(partition: number, position: string): Promise<number> {
    let count = 0;
    for (let behind = position; ; ) {
      const page = await this.commands.xrange(
        this.keys.streamOf(partition),
        `(${behind}`,
        '+',
        'COUNT',
        COUNT_PAGE,
      );
      count += page.length;
      if (page.length < COUNT_PAGE) return count;
      behind = page[page.length - 1]?.[0] ?? behind;
    }
  }

  private async groupsOn(partition: number): Promise<readonly string[]> {
    const stream = this.keys.streamOf(partition);
    if ((await this.commands.exists(stream)) === 0) return [];
    const groups = (await this.commands.xinfo('GROUPS', stream)) as readonly unknown[];
    return groups.map(nameOf);
  }
}

type InspectReply = readonly [
  first: Buffer,
  last: Buffer,
  length: number,
  added: number,
  stands: Buffer,
  pending: number,
  undelivered: number,
];

function viewOf([first, last, length, added, stands, pending, undelivered]: InspectReply): StreamView {
  return {
    first: first.toString(),
    last: last.toString(),
    length,
    added,
    groupStands: stands.length === 0 ? undefined : stands.toString(),
    pending,
    undelivered: undelivered < 0 ? undefined : undelivered,
  };
}

/** Names and values in turn, or with RESP3 an object of them. */
function nameOf(info: unknown): string {
  if (Array.isArray(info)) return String(info[info.indexOf('name') + 1]);
  return String((info as { readonly name?: unknown }).name);
}

function fewerPartitions({ stream, partitions }: Keys, stored: number, wanted: number): ConfigurationError {
  return new ConfigurationError([
    {
      path: 'partitions',
      message: `is ${wanted}, but the stream ${stream} has ${stored}; set partitions to ${stored}, or, when every group has handled everything, set the key ${partitions} to ${wanted} (events of one aggregate then change their partition)`,
    },
  ]);
}

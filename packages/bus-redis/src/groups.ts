import { BusError, within } from '@omnibus/core/transport';
import { type Commands, RedisClient } from './client.js';
import { toBusError } from './errors.js';
import { alive, destroy, forget, look } from './group-scripts.js';
import { Keys } from './keys.js';
import { type RedisEventBusOptions, resolveRedisOptions } from './options.js';
import { Topology } from './topology.js';

/** A name under which somebody read for a group. */
export interface RedisGroupConsumer {
  readonly name: string;
  /** Events that were given to it and are not settled. */
  readonly pending: number;
  /** How long the server has not heard of it, in milliseconds. */
  readonly idleMs: number;
}

/** A group on the streams of one prefix. */
export interface RedisGroup {
  readonly name: string;
  /** Names of the buses that consume for it now. A process that died is among them until `leaseMs` is over. */
  readonly members: readonly string[];
  /** Those that the server keeps, also of other clients than ours, and of processes that are long gone. */
  readonly consumers: readonly RedisGroupConsumer[];
  /** Events that it has still to handle, in the partitions that it knows. */
  readonly lag: number;
}

/** When a group counts as dead. */
export interface RemoveGroupOptions {
  /** For how long the server has heard of none of its consumers, in milliseconds. @default 60000 */
  readonly quietMs?: number;
}

const QUIET_MS = 60_000;
/** Nobody: under this name entries wait that were given back. */
const RELEASED = 'released';

/**
 * The groups on the streams that a bus with these options uses, by name. Makes nothing: a prefix that nobody uses has
 * none. Rejects as `connect` does.
 */
export function listGroups(options: RedisEventBusOptions): Promise<readonly RedisGroup[]> {
  return withStreams(options, 'list the groups', async (streams) =>
    Promise.all((await found(streams)).map((each) => groupOf(streams, each))),
  );
}

/**
 * Removes a dead group with what its members wrote down; its dead letters stay. A member that comes later starts a new
 * group. Resolves to false when there is none.
 *
 * Rejects with `BROKER` (retryable) and removes nothing while it has members, or while a consumer of it was heard of within
 * `quietMs`.
 */
export function removeGroup(
  options: RedisEventBusOptions,
  group: string,
  { quietMs = QUIET_MS }: RemoveGroupOptions = {},
): Promise<boolean> {
  return withStreams(options, `remove the group ${group}`, async (streams) => {
    const [there] = (await found(streams)).filter(({ name }) => name === group);
    if (!there) return false;
    const { members, consumers } = await groupOf(streams, there);
    const heard = consumers.filter(({ name, idleMs }) => name !== RELEASED && idleMs < quietMs);
    if (members.length > 0 || heard.length > 0)
      throw inUse(group, [...members, ...heard.map(({ name, idleMs }) => `${name} (${idleMs} ms ago)`)]);
    const { commands, topology } = streams;
    const { keys } = topology;
    const answers = await Promise.all(
      topology
        .together(topology.all)
        .map((partitions) =>
          destroy.run(
            commands,
            [
              keys.members(partitions[0] ?? 0, group),
              ...partitions.flatMap((each) => [
                keys.lease(each, group),
                keys.streamOf(each),
                keys.journal(each, group),
              ]),
            ],
            [group],
          ),
        ),
    );
    if (answers.includes(0)) throw inUse(group, ['somebody who came this moment']);
    return true;
  });
}

/**
 * Removes the name of a consumer that is gone from a group. Those of our own buses go by themselves. Resolves when the name
 * is not there.
 *
 * Rejects with `BROKER` (not retryable) while it has events pending, which would be lost to the group with it: start a
 * member of the group, which takes them over, and the name with them.
 */
export function removeConsumer(
  options: RedisEventBusOptions,
  group: string,
  consumer: string,
): Promise<void> {
  return withStreams(
    options,
    `remove the consumer ${consumer} of ${group}`,
    async ({ commands, topology }) => {
      const answers = await Promise.all(
        topology
          .together(topology.all)
          .map((partitions) => forget.run(commands, partitions.map(streamOf(topology)), [group, consumer])),
      );
      const pending = answers.reduce<number>((sum, answer) => sum + Number(answer), 0);
      if (pending > 0)
        throw new BusError(
          'BROKER',
          `${consumer} has ${pending} events of the group ${group} pending, which would be lost to it: start a member of the group, which takes them over`,
          { retryable: false },
        );
    },
  );
}

/** The streams of one prefix, seen by a client of their own. */
interface Streams {
  readonly commands: Commands;
  readonly topology: Topology;
}

/** A group, the partitions that have it, and who read for it. */
interface Found {
  readonly name: string;
  readonly partitions: ReadonlySet<number>;
  readonly consumers: readonly RedisGroupConsumer[];
}

type LookReply = readonly (readonly [
  name: Buffer,
  consumers: readonly (readonly [name: Buffer, pending: number, idleMs: number])[],
])[][];

async function withStreams<T>(
  options: RedisEventBusOptions,
  doing: string,
  work: (streams: Streams) => Promise<T>,
): Promise<T> {
  const { connectTimeoutMs, streamPrefix, ...settings } = resolveRedisOptions(options);
  const told = { works: () => undefined, failed: () => undefined };
  const client = new RedisClient(settings, 'omnibus-groups', told);
  try {
    await within(connectTimeoutMs, client.connect(), () => client.whyNot());
    const { commands, isCluster } = client;
    const keys = new Keys(streamPrefix, isCluster);
    // Where nobody wrote it down there is one stream, of services that know only this one, or none.
    const partitions = Number(await commands.get(keys.partitions)) || 1;
    return await work({ commands, topology: new Topology(commands, keys, partitions) });
  } catch (error) {
    throw toBusError(error, doing);
  } finally {
    await client.close();
  }
}

const streamOf =
  ({ keys }: Topology) =>
  (partition: number): string =>
    keys.streamOf(partition);

async function found({ commands, topology }: Streams): Promise<readonly Found[]> {
  const parts = await Promise.all(
    topology
      .together(topology.all)
      .map((partitions) => look.run(commands, partitions.map(streamOf(topology)), [])),
  );
  const groups = new Map<string, { partitions: Set<number>; consumers: Map<string, RedisGroupConsumer> }>();
  for (const [partition, here] of (parts as LookReply[]).flat().entries()) {
    for (const [name, consumers] of here) {
      const group = groups.get(String(name)) ?? { partitions: new Set(), consumers: new Map() };
      groups.set(String(name), group);
      group.partitions.add(partition);
      for (const [consumer, pending, idleMs] of consumers) {
        const before = group.consumers.get(String(consumer));
        group.consumers.set(String(consumer), {
          name: String(consumer),
          pending: pending + (before?.pending ?? 0),
          idleMs: Math.min(idleMs, before?.idleMs ?? idleMs),
        });
      }
    }
  }
  return [...groups]
    .map(([name, { partitions, consumers }]) => ({ name, partitions, consumers: [...consumers.values()] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function groupOf(
  { commands, topology }: Streams,
  { name, partitions, consumers }: Found,
): Promise<RedisGroup> {
  const members = await Promise.all(
    topology
      .together(topology.all)
      .map(([first = 0]) => alive.run(commands, [topology.keys.members(first, name)], [])),
  );
  const ids = new Set((members as Buffer[][]).flat().map(String));
  const lags = await topology.lag(name);
  return {
    name,
    // Behind the name stands what tells processes of the same name apart.
    members: [...ids].map((id) => id.slice(0, id.lastIndexOf('/'))).sort(),
    consumers,
    lag: lags.reduce((sum, { partition, lag }) => sum + (partitions.has(partition) ? lag : 0), 0),
  };
}

function inUse(group: string, who: readonly string[]): BusError {
  return new BusError(
    'BROKER',
    `The group ${group} is in use, and was not removed; heard of lately: ${who.join(', ')}. Stop what consumes for it first`,
  );
}

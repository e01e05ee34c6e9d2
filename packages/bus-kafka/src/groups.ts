import { BusError, type GroupSpec, type PartitionLag, within } from '@omnibus/core/transport';
import { protocolTypeOf, toBusError } from './errors.js';
import { commitOffsets, committedOffsets, isFencing } from './group-requests.js';
import type { CommittedOffset, KafkaBroker, KafkaCluster } from './kafkajs-cluster.js';
import { EARLIEST, LATEST, offsetsAt } from './offsets.js';
import { protocolError } from './protocol.js';
import { brokerById, type TopicView } from './topic-view.js';

const GROUP = 0;
const STALE_COORDINATOR: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/** The broker that looks after a group, remembered until it turns out to be another one. */
export class GroupCoordinator {
  private known: Promise<KafkaBroker> | undefined;

  constructor(
    private readonly cluster: KafkaCluster,
    readonly group: string,
  ) {}

  /** Runs a request against it. A failure makes the next call look for the coordinator again. */
  async ask<T>(request: (broker: KafkaBroker) => Promise<T>): Promise<T> {
    try {
      this.known ??= findCoordinator(this.cluster, this.group);
      const broker = await this.known;
      return await request(broker.isConnected() ? broker : await this.reconnect(broker));
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  forget(): void {
    this.known = undefined;
  }

  private reconnect(broker: KafkaBroker): Promise<KafkaBroker> {
    const connected = brokerById(this.cluster, broker.nodeId ?? -1);
    this.known = connected;
    return connected;
  }
}

/** Asks who looks after the group, and connects to it. Unlike kafkajs's own look-up it keeps the reason of a refusal. */
export async function findCoordinator(cluster: KafkaCluster, groupId: string): Promise<KafkaBroker> {
  const broker = await cluster.brokerPool.findConnectedBroker();
  const { coordinator } = await broker.findGroupCoordinator({ groupId, coordinatorType: GROUP });
  return brokerById(cluster, coordinator.nodeId);
}

/** Whether another broker looks after the group now, or this one is not ready yet. */
export function isStaleCoordinator(type: string | undefined): boolean {
  return type !== undefined && STALE_COORDINATOR.has(type);
}

/** What the group has committed, for every partition of the topic. */
export function committedOf(
  coordinator: GroupCoordinator,
  view: TopicView,
): Promise<readonly CommittedOffset[]> {
  return coordinator.ask((broker) =>
    committedOffsets(broker, coordinator.group, view.topic, allPartitions(view)),
  );
}

/**
 * Gives the group a position in every partition where it has none. From then on it keeps what is published, whether or
 * not anybody consumes. The broker refuses that for a group that has members; then the positions are given back, for the
 * member that begins there. As a rule there are none: who is a member did this before it joined, unless for another topic.
 */
export async function pinGroup(
  coordinator: GroupCoordinator,
  view: TopicView,
  spec: GroupSpec,
): Promise<ReadonlyMap<number, string>> {
  // A group that has them all needs no leader of any partition to start.
  if (unpinned(await committedOf(coordinator, view)).length === 0) return new Map();
  // The offsets are read before what is committed: whoever commits meanwhile can only have read the same or later ones,
  // so that a race of two moves no group past an event.
  const ends = await offsetsAt(view, allPartitions(view), spec.startFrom === 'latest' ? LATEST : EARLIEST);
  const missing = unpinned(await committedOf(coordinator, view));
  if (missing.length === 0) return new Map();
  const isNew = missing.length === ends.size;
  // Partitions that were added to the stream later: everything in them is newer than the group.
  const starts = isNew ? ends : await offsetsAt(view, missing, EARLIEST);
  const stored = await coordinator.ask((broker) =>
    commitStarts(broker, coordinator.group, view.topic, missing, starts),
  );
  return stored ? new Map() : starts;
}

function unpinned(committed: readonly CommittedOffset[]): number[] {
  return committed.filter(({ offset }) => Number(offset) < 0).map(({ partition }) => partition);
}

/** False when the group has members: then only they can commit. */
async function commitStarts(
  broker: KafkaBroker,
  groupId: string,
  topic: string,
  partitions: readonly number[],
  starts: ReadonlyMap<number, string>,
): Promise<boolean> {
  const nobody = { groupId, groupGenerationId: -1, memberId: '' };
  const answers = await commitOffsets(
    broker,
    nobody,
    topic,
    partitions.map((partition) => ({ partition, offset: starts.get(partition) ?? '0', metadata: '' })),
  );
  for (const { errorCode } of answers) {
    if (errorCode === 0) continue;
    const error = protocolError(errorCode);
    if (isFencing(error.type) || error.type === 'REBALANCE_IN_PROGRESS') return false;
    throw error;
  }
  return true;
}

/** How many events lie between what the group has committed and the end. */
export async function lagOf(
  coordinator: GroupCoordinator,
  view: TopicView,
): Promise<readonly PartitionLag[]> {
  const [committed, ends, starts] = await Promise.all([
    committedOf(coordinator, view),
    offsetsAt(view, allPartitions(view), LATEST),
    offsetsAt(view, allPartitions(view), EARLIEST),
  ]);
  return committed.map(({ partition, offset }) => {
    const start = Number(starts.get(partition) ?? 0);
    const end = Number(ends.get(partition) ?? 0);
    return { partition, lag: Math.max(0, end - Math.max(start, Number(offset))) };
  });
}

/** Removes a group without members. One that is gone already is fine. */
export async function deleteGroup(coordinator: GroupCoordinator): Promise<void> {
  try {
    await coordinator.ask((broker) => broker.deleteGroups([coordinator.group]));
  } catch (error) {
    const groups = (error as { readonly groups?: readonly { readonly error?: unknown }[] }).groups;
    const cause = groups?.[0]?.error ?? error;
    if (protocolTypeOf(cause) === 'GROUP_ID_NOT_FOUND') return;
    throw new BusError(
      'BROKER',
      `Could not remove the group ${coordinator.group}: ${toBusError(cause, 'remove it').message}`,
      { cause },
    );
  }
}

/** Takes a member out of its group at once, and the group from the broker when it is `ephemeral`. */
export async function leaveGroup(
  coordinator: GroupCoordinator,
  memberId: string,
  ephemeral: boolean,
  timeoutMs: number,
): Promise<void> {
  const { group } = coordinator;
  const late = (): BusError =>
    new BusError(
      'TIMEOUT',
      `It took longer than ${timeoutMs} ms; its partitions are free when its session ends`,
    );
  await within(
    timeoutMs,
    coordinator.ask((broker) => broker.leaveGroup({ groupId: group, memberId })),
    late,
  );
  if (ephemeral) await within(timeoutMs, deleteGroup(coordinator), late);
}

/** 0 to the last one known. */
export function allPartitions(view: TopicView): number[] {
  return Array.from({ length: view.partitions }, (_, partition) => partition);
}

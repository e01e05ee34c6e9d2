import type { CommittedOffset, KafkaBroker } from './kafkajs-cluster.js';
import { call, partitionsOf, prepare } from './protocol.js';

/** Who commits: a member in its generation, or nobody (`-1`, `''`) for a group without members. */
export interface MemberIdentity {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
}

/** One partition of a commit. */
export interface OffsetToCommit {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** Error code per partition. */
export async function commitOffsets(
  broker: KafkaBroker,
  member: MemberIdentity,
  topic: string,
  partitions: readonly OffsetToCommit[],
): Promise<readonly { readonly partition: number; readonly errorCode: number }[]> {
  return partitionsOf(
    await call(broker, 'OffsetCommit', { ...member, retentionTime: -1, topics: [{ topic, partitions }] }),
  );
}

/** What the group has committed. Throws the first error. */
export async function committedOffsets(
  broker: KafkaBroker,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<readonly CommittedOffset[]> {
  const topics = [{ topic, partitions: partitions.map((partition) => ({ partition })) }];
  const { responses } = await broker.offsetFetch({ groupId, topics });
  return responses.flatMap((response) => response.partitions);
}

/** A member's id as soon as the coordinator gives one: a join that is lost can then be repeated by the same member. */
export class MemberIdRequired extends Error {
  constructor(readonly memberId: string) {
    super('The coordinator wants the join repeated with the member id that it gave');
  }
}

/** What a member learns when its join is complete. */
export interface JoinedGroup {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** How a member joins. */
export interface JoinRequest {
  readonly groupId: string;
  /** Empty for a new member. */
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolName: string;
  readonly metadata: Buffer;
}

/** Joins; waits until all members have. Throws `MemberIdRequired` for the first request of a new member. */
export async function joinGroup(broker: KafkaBroker, request: JoinRequest): Promise<JoinedGroup> {
  const prepared = prepare(broker, 'JoinGroup', {
    groupId: request.groupId,
    memberId: request.memberId,
    sessionTimeout: request.sessionTimeoutMs,
    rebalanceTimeout: request.rebalanceTimeoutMs,
    protocolType: 'consumer',
    groupProtocols: [{ name: request.protocolName, metadata: request.metadata }],
  });
  try {
    return (await broker.connectionPool.send(prepared)) as JoinedGroup;
  } catch (error) {
    const { name, memberId } = error as { readonly name?: string; readonly memberId?: string };
    const isNew = name === 'KafkaJSMemberIdRequired' && memberId !== undefined;
    throw isNew ? new MemberIdRequired(memberId) : error;
  }
}

const FENCING: ReadonlySet<string | undefined> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
]);

/** Whether the group went on without this member. */
export function isFencing(type: string | undefined): boolean {
  return FENCING.has(type);
}

import errors from 'kafkajs/src/protocol/error.js';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import definitions from 'kafkajs/src/protocol/requests/index.js';
import type { KafkaBroker } from './kafkajs-cluster.js';

/*
 * Requests to one broker, with the answer for every partition.
 *
 * kafkajs's own methods throw the first error of an answer and forget which partition it was for. A bus has to know:
 * one partition that is refused must neither fail the others nor make them be sent again.
 */

/** A record as kafkajs encodes it. */
export interface KafkaMessage {
  readonly key: string | null;
  /** Null: a tombstone of a compacted topic. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[]>>;
  readonly timestamp: number;
}

/** A record as kafkajs decodes it. */
export interface FetchedMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, unknown>;
  readonly offset: string;
  readonly timestamp: string;
  readonly isControlRecord?: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

/** Answer for one partition of a produce request. */
export interface ProducedPartition {
  readonly partition: number;
  readonly errorCode: number;
}

/** Answer for one partition of a fetch request. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly abortedTransactions?:
    | readonly { readonly producerId: string; readonly firstOffset: string }[]
    | null;
  readonly messages: readonly FetchedMessage[];
}

/** One partition of a commit. */
export interface OffsetToCommit {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** What a group has committed for one partition. Offset -1: nothing. */
export interface CommittedOffset {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string | null;
}

/** Offset of one partition at a time (-1: the end, -2: the start). Offset -1: there is none. */
export interface ListedOffset {
  readonly partition: number;
  readonly offset: string;
}

/** Who commits: a member in its generation, or nobody (`-1`, `''`) for a group without members. */
export interface MemberIdentity {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
}

/** Partitions of a topic with their leaders; leader -1: none at the moment. */
export interface TopicDescription {
  readonly brokers: number;
  readonly partitions: readonly { readonly partitionId: number; readonly leader: number }[];
}

interface MetadataAnswer {
  readonly brokers: readonly unknown[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

interface Answer<P> {
  readonly responses?: readonly TopicAnswer<P>[];
  readonly topics?: readonly TopicAnswer<P>[];
}

interface TopicAnswer<P> {
  readonly partitions: readonly P[];
}

const READ_COMMITTED = 1;
const ALL_REPLICAS = -1;
const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** The error kafkajs makes of a protocol error code. */
export function protocolError(code: number): Error & { readonly type: string; readonly retriable: boolean } {
  return errors.createErrorFromCode(code);
}

/** Appends one batch to each partition, acknowledged by all in-sync replicas. */
export async function produce(
  broker: KafkaBroker,
  request: {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly KafkaMessage[];
    }[];
    readonly producerId: string;
    readonly producerEpoch: number;
    readonly compression: number;
    readonly timeoutMs: number;
  },
): Promise<readonly ProducedPartition[]> {
  const { topic, partitions, producerId, producerEpoch, compression, timeoutMs } = request;
  return partitionsOf<ProducedPartition>(
    await call(broker, 'Produce', {
      acks: ALL_REPLICAS,
      timeout: timeoutMs,
      compression,
      producerId,
      producerEpoch,
      topicData: [{ topic, partitions }],
    }),
  );
}

/** Waits up to `maxWaitMs` for records from the given offsets on. */
export async function fetch(
  broker: KafkaBroker,
  request: {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
    readonly maxWaitMs: number;
    readonly maxBytes: number;
  },
): Promise<readonly FetchedPartition[]> {
  const { topic, partitions, maxWaitMs, maxBytes } = request;
  return partitionsOf<FetchedPartition>(
    await call(broker, 'Fetch', {
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes,
      rackId: '',
      topics: [{ topic, partitions }],
    }),
  );
}

/** Throws the first error: an offset that is not known is of no use for any of them. */
export async function listOffsets(
  broker: KafkaBroker,
  topic: string,
  partitions: readonly { readonly partition: number; readonly timestamp: number }[],
): Promise<readonly ListedOffset[]> {
  const answers = partitionsOf<ListedOffset & { readonly errorCode: number }>(
    await call(broker, 'ListOffsets', {
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions }],
    }),
  );
  for (const { errorCode } of answers) if (errorCode !== 0) throw protocolError(errorCode);
  return answers;
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

/** A topic as the brokers describe it; undefined when there is none. Throws other errors of the topic. */
export async function describeTopic(
  broker: KafkaBroker,
  topic: string,
): Promise<TopicDescription | undefined> {
  const answer = (await call(broker, 'Metadata', {
    topics: [topic],
    allowAutoTopicCreation: false,
  })) as MetadataAnswer;
  const found = answer.topicMetadata[0];
  if (found === undefined || found.topicErrorCode === UNKNOWN_TOPIC_OR_PARTITION) return undefined;
  if (found.topicErrorCode !== 0 && found.partitionMetadata.length === 0)
    throw protocolError(found.topicErrorCode);
  return { brokers: answer.brokers.length, partitions: found.partitionMetadata };
}

/** How many brokers the cluster has. */
export async function countBrokers(broker: KafkaBroker, topic: string): Promise<number> {
  const answer = (await call(broker, 'Metadata', {
    topics: [topic],
    allowAutoTopicCreation: false,
  })) as MetadataAnswer;
  return answer.brokers.length;
}

/** What the group has committed. Throws the first error. */
export async function committedOffsets(
  broker: KafkaBroker,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<readonly CommittedOffset[]> {
  const request = {
    groupId,
    topics: [{ topic, partitions: partitions.map((partition) => ({ partition })) }],
  };
  const { responses } = await broker.offsetFetch(request);
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

/** Joins; waits until all members have. Throws `MemberIdRequired` for the first request of a new member. */
export async function joinGroup(
  broker: KafkaBroker,
  request: {
    readonly groupId: string;
    readonly memberId: string;
    readonly sessionTimeoutMs: number;
    readonly rebalanceTimeoutMs: number;
    readonly protocolName: string;
    readonly metadata: Buffer;
  },
): Promise<JoinedGroup> {
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
    throw name === 'KafkaJSMemberIdRequired' && memberId !== undefined
      ? new MemberIdRequired(memberId)
      : error;
  }
}

interface PreparedRequest {
  readonly request: unknown;
  readonly response: { decode(data: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
  readonly requestTimeout?: number;
}

function prepare(broker: KafkaBroker, api: string, args: object): PreparedRequest {
  return broker.lookupRequest(apiKeys[api] as number, definitions.requests[api])(args) as PreparedRequest;
}

/** The decoded answer, errors of partitions included. */
function call(broker: KafkaBroker, api: string, args: object): Promise<unknown> {
  const prepared = prepare(broker, api, args);
  const response = {
    decode: (data: Buffer): Promise<unknown> => prepared.response.decode(data),
    parse: (decoded: unknown): Promise<unknown> => Promise.resolve(decoded),
  };
  return broker.connectionPool.send({ ...prepared, response });
}

function partitionsOf<P>(answer: unknown): readonly P[] {
  const { responses, topics } = answer as Answer<P>;
  return (responses ?? topics ?? []).flatMap((topic) => topic.partitions);
}

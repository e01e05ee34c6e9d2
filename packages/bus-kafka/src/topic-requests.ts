import type { KafkaBroker } from './kafkajs-cluster.js';
import { call, partitionsOf, protocolError, READ_COMMITTED } from './protocol.js';

/** Partitions of a topic with their leaders; leader -1: none at the moment. */
export type TopicDescription = readonly { readonly partitionId: number; readonly leader: number }[];

/** Offset of one partition at a time. -1: there is none. */
export interface ListedOffset {
  readonly partition: number;
  readonly offset: string;
}

interface MetadataAnswer {
  readonly brokers: readonly unknown[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly partitionMetadata: TopicDescription;
  }[];
}

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** A topic as the brokers describe it; undefined when there is none. Throws other errors of the topic. */
export async function describeTopic(
  broker: KafkaBroker,
  topic: string,
): Promise<TopicDescription | undefined> {
  const [found] = (await metadata(broker, topic)).topicMetadata;
  if (found === undefined || found.topicErrorCode === UNKNOWN_TOPIC_OR_PARTITION) return undefined;
  if (found.topicErrorCode !== 0 && found.partitionMetadata.length === 0)
    throw protocolError(found.topicErrorCode);
  return found.partitionMetadata;
}

/** How many brokers the cluster has. Kafka tells it together with a topic, which need not exist. */
export async function countBrokers(broker: KafkaBroker, topic: string): Promise<number> {
  return (await metadata(broker, topic)).brokers.length;
}

/** Throws the first error: an offset that is not known is of no use for any of them. */
export async function listOffsets(
  broker: KafkaBroker,
  topic: string,
  partitions: readonly { readonly partition: number; readonly timestamp: number }[],
): Promise<readonly ListedOffset[]> {
  const args = { replicaId: -1, isolationLevel: READ_COMMITTED, topics: [{ topic, partitions }] };
  const answers = partitionsOf<ListedOffset & { readonly errorCode: number }>(
    await call(broker, 'ListOffsets', args),
  );
  for (const { errorCode } of answers) if (errorCode !== 0) throw protocolError(errorCode);
  return answers;
}

async function metadata(broker: KafkaBroker, topic: string): Promise<MetadataAnswer> {
  const args = { topics: [topic], allowAutoTopicCreation: false };
  return (await call(broker, 'Metadata', args)) as MetadataAnswer;
}

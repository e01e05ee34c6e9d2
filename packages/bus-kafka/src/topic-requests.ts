import { toBusError } from './errors.js';
import type { KafkaBroker } from './kafkajs-cluster.js';
import { call, partitionsOf, protocolError, READ_COMMITTED } from './protocol.js';
import { type TopicMetadata, topicMetadata } from './topic-metadata.js';

/** Offset of one partition at a time. -1: there is none. */
export interface ListedOffset {
  readonly partition: number;
  readonly offset: string;
}

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** A topic as the brokers describe it; undefined when there is none. Throws other errors of the topic. */
export async function describeTopic(broker: KafkaBroker, topic: string): Promise<TopicMetadata | undefined> {
  const found = await topicMetadata(broker, topic);
  const { errorCode, partitions } = found;
  if (errorCode === UNKNOWN_TOPIC_OR_PARTITION) return undefined;
  if (errorCode !== 0 && partitions.length === 0)
    throw toBusError(protocolError(errorCode), `look at the topic ${topic}`);
  return found;
}

/** How many brokers the cluster has. Kafka tells it together with a topic, which need not exist. */
export async function countBrokers(broker: KafkaBroker, topic: string): Promise<number> {
  return (await topicMetadata(broker, topic)).brokers;
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

import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { KafkaBroker } from './kafkajs-cluster.js';
import { call, exchange } from './protocol.js';

/** Partitions of a topic with their leaders; leader -1: none at the moment. */
export type TopicDescription = readonly { readonly partitionId: number; readonly leader: number }[];

/** What the brokers know of one topic. */
export interface TopicMetadata {
  /** How many brokers the cluster has. */
  readonly brokers: number;
  readonly errorCode: number;
  /** Another one when a topic was deleted and made anew. Undefined where topics have no ids, as before Kafka 2.8. */
  readonly id: string | undefined;
  readonly partitions: TopicDescription;
}

const METADATA = 3;
/** The first version that tells the id of a topic. kafkajs goes up to 6. */
const VERSION_WITH_ID = 10;
const ID_BYTES = 16;
/** From a cluster whose brokers were upgraded, and its metadata not yet. */
const NO_ID = '0'.repeat(2 * ID_BYTES);

/** Asks one broker. Never makes the topic. */
export async function topicMetadata(broker: KafkaBroker, topic: string): Promise<TopicMetadata> {
  const newest = broker.versions?.[METADATA]?.maxVersion ?? 0;
  if (newest < VERSION_WITH_ID) return withoutId(broker, topic);
  const out = new ByteWriter(2 * topic.length + 64);
  // No further fields in the request's header.
  out.uvarint(0);
  out.uvarint(2);
  out.raw(Buffer.alloc(ID_BYTES));
  out.uvarint(Buffer.byteLength(topic) + 1);
  out.text(topic, Buffer.byteLength(topic));
  out.uvarint(0);
  // Do not create it, and do not tell what may be done with the cluster or the topic.
  out.raw(Buffer.alloc(3));
  out.uvarint(0);
  const encode = (): Promise<object> => Promise.resolve({ buf: out.written, buffer: out.written });
  const request = { apiKey: METADATA, apiName: 'Metadata', apiVersion: VERSION_WITH_ID, encode };
  return exchange(broker, { request }, (data) => Promise.resolve(decode(new ByteReader(data))));
}

async function withoutId(broker: KafkaBroker, topic: string): Promise<TopicMetadata> {
  const args = { topics: [topic], allowAutoTopicCreation: false };
  const { brokers, topicMetadata: topics } = (await call(broker, 'Metadata', args)) as {
    readonly brokers: readonly unknown[];
    readonly topicMetadata: readonly {
      readonly topicErrorCode: number;
      readonly partitionMetadata: TopicDescription;
    }[];
  };
  const { topicErrorCode = 0, partitionMetadata = [] } = topics[0] ?? {};
  return {
    brokers: brokers.length,
    errorCode: topicErrorCode,
    id: undefined,
    partitions: partitionMetadata,
  };
}

function decode(reader: ByteReader): TopicMetadata {
  skipFields(reader);
  // Throttle time.
  reader.skip(4);
  const brokers = list(reader, skipBroker).length;
  // Cluster and controller.
  skipText(reader);
  reader.skip(4);
  const [topic] = list(reader, decodeTopic);
  return { brokers, ...(topic ?? { errorCode: 0, id: undefined, partitions: [] }) };
}

function skipBroker(reader: ByteReader): void {
  // Id, host, port and rack.
  reader.skip(4);
  skipText(reader);
  reader.skip(4);
  skipText(reader);
  skipFields(reader);
}

function decodeTopic(reader: ByteReader): Omit<TopicMetadata, 'brokers'> {
  const errorCode = reader.int16();
  skipText(reader);
  const id = reader.take(ID_BYTES).toString('hex');
  // Whether it is one of Kafka's own.
  reader.skip(1);
  const partitions = list(reader, decodePartition);
  // What may be done with it.
  reader.skip(4);
  skipFields(reader);
  return { errorCode, id: id === NO_ID ? undefined : id, partitions };
}

function decodePartition(reader: ByteReader): TopicDescription[number] {
  // Its error says what the leader says, too.
  reader.skip(2);
  const partitionId = reader.int32();
  const leader = reader.int32();
  // Epoch of the leader; then replicas, those in sync, and those that are down.
  reader.skip(4);
  for (let each = 0; each < 3; each += 1) list(reader, () => reader.skip(4));
  skipFields(reader);
  return { partitionId, leader };
}

/** Lists and texts are preceded by their length and one more; 0 stands for none. */
function list<T>(reader: ByteReader, item: (reader: ByteReader) => T): T[] {
  const items: T[] = [];
  for (let left = reader.uvarint() - 1; left > 0; left -= 1) items.push(item(reader));
  return items;
}

function skipText(reader: ByteReader): void {
  reader.skip(Math.max(0, reader.uvarint() - 1));
}

/** What later versions of the protocol added, by number and length. */
function skipFields(reader: ByteReader): void {
  for (let left = reader.uvarint(); left > 0; left -= 1) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
}

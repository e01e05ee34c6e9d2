import { BusError } from '@omnibus/core/transport';
import { ByteWriter } from './byte-writer.js';
import { decodeFetch, FETCH_VERSION, type FetchedPartition } from './fetch-decoder.js';
import type { KafkaBroker } from './kafkajs-cluster.js';
import { exchange, partitionsOf, prepare, READ_COMMITTED } from './protocol.js';
import { expectedBytes, type WritableRecord, writeBatch } from './record-encoder.js';

/** One batch for each of several partitions of a topic. */
export interface ProduceRequest {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly producerEpoch: number;
    readonly firstSequence: number;
    readonly records: readonly WritableRecord[];
  }[];
  readonly producerId: string;
  /** Number of the compression in Kafka's protocol. */
  readonly compression: number;
  /** How long the broker may wait for its replicas. */
  readonly timeoutMs: number;
}

/** Answer for one partition of a produce request. */
export interface ProducedPartition {
  readonly partition: number;
  readonly errorCode: number;
}

/** What to fetch. */
export interface FetchRequest {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly fetchOffset: string;
    readonly maxBytes: number;
  }[];
  /** How long the broker may wait for the first record. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly checkCrcs: boolean;
}

const ALL_REPLICAS = -1;
/** Versions of the produce request that are written alike. */
const MIN_PRODUCE_VERSION = 3;
const MAX_PRODUCE_VERSION = 7;

/** Appends the batches, acknowledged by all in-sync replicas. */
export async function produce(
  broker: KafkaBroker,
  request: ProduceRequest,
): Promise<readonly ProducedPartition[]> {
  const prepared = prepare(broker, 'Produce', { acks: ALL_REPLICAS, topicData: [] });
  const { apiVersion } = prepared.request;
  if (apiVersion < MIN_PRODUCE_VERSION || apiVersion > MAX_PRODUCE_VERSION) {
    throw new BusError('UNSUPPORTED', 'Publishing needs Kafka 0.11 or newer');
  }
  const encode = (): Promise<EncodedRequest> => encodeProduce(request);
  const answer = await exchange(broker, { ...prepared, request: { ...prepared.request, encode } }, (data) =>
    prepared.response.decode(data),
  );
  return partitionsOf<ProducedPartition>(answer);
}

/** Records from the given offsets on. */
export function fetch(
  broker: KafkaBroker,
  { topic, partitions, maxWaitMs, maxBytes, checkCrcs }: FetchRequest,
): Promise<readonly FetchedPartition[]> {
  const prepared = prepare(broker, 'Fetch', {
    replicaId: -1,
    isolationLevel: READ_COMMITTED,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    rackId: '',
    topics: [{ topic, partitions }],
  });
  if (prepared.request.apiVersion !== FETCH_VERSION) {
    return Promise.reject(new BusError('UNSUPPORTED', 'Consuming needs Kafka 2.3 or newer'));
  }
  const from = new Map(partitions.map(({ partition, fetchOffset }) => [partition, fetchOffset] as const));
  return exchange(broker, prepared, (data) => decodeFetch(data, { checkCrcs, from }));
}

/** What kafkajs takes for one of its encoders. */
interface EncodedRequest {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

async function encodeProduce(request: ProduceRequest): Promise<EncodedRequest> {
  const { topic, partitions, timeoutMs, producerId, compression } = request;
  let bytes = 64 + topic.length;
  for (const { records } of partitions) bytes += expectedBytes(records);
  const out = new ByteWriter(bytes);
  // No transaction.
  out.int16(-1);
  out.int16(ALL_REPLICAS);
  out.int32(timeoutMs);
  out.int32(1);
  out.string(topic);
  out.int32(partitions.length);
  for (const { partition, producerEpoch, firstSequence, records } of partitions) {
    out.int32(partition);
    await writeBatch(out, records, { producerId, producerEpoch, firstSequence, compression });
  }
  return { buf: out.written, buffer: out.written };
}

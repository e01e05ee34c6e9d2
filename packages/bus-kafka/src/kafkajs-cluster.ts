import type { Kafka } from 'kafkajs';

/*
 * kafkajs beneath its producer and consumer: metadata, connections, requests. What the bus does with them differs from
 * what kafkajs's own loops do (see DESIGN.md, "Kafka"): a hand-over before a partition moves, commits that name their
 * generation, sends that are repeated unchanged.
 */

/** What a group has committed for one partition. Offset -1: nothing. */
export interface CommittedOffset {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string | null;
}

/** A broker as kafkajs knows it. Requests go over its connections, which are opened when needed. */
export interface KafkaBroker {
  readonly nodeId: number | null;
  readonly connectionPool: {
    readonly host: string;
    readonly port: number;
    readonly pool: readonly {
      readonly socket?: { destroy(error: Error): void };
      readonly requestQueue: { readonly inflight: ReadonlyMap<number, { readonly sentAt: number | null }> };
      connect(): Promise<unknown>;
    }[];
    send(request: object): Promise<unknown>;
  };
  /** What the broker speaks, by the number of the request. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  /** How kafkajs learns of the brokers. */
  metadata(topics: readonly string[]): Promise<unknown>;
  lookupRequest(apiKey: number, definition: unknown): (args: object) => unknown;
  isConnected(): boolean;
  initProducerId(request: {
    readonly transactionTimeout: number;
  }): Promise<{ readonly producerId: string; readonly producerEpoch: number }>;
  createTopics(request: { readonly topics: readonly NewTopic[]; readonly timeout: number }): Promise<unknown>;
  deleteRecords(request: {
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[];
  }): Promise<unknown>;
  deleteGroups(groupIds: readonly string[]): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }): Promise<{
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly CommittedOffset[];
    }[];
  }>;
  findGroupCoordinator(request: {
    readonly groupId: string;
    readonly coordinatorType: number;
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

/** Makes the connections of a broker. */
export interface ConnectionPoolBuilder {
  build(...args: readonly unknown[]): Promise<{ readonly pool: readonly object[] }>;
}

/** A topic to be created. */
export interface NewTopic {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: readonly { readonly name: string; readonly value: string }[];
}

/** Metadata and connections of one client. */
export interface KafkaCluster {
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, KafkaBroker>>;
    readonly seedBroker?: KafkaBroker;
    createBroker(options: object): KafkaBroker;
    findConnectedBroker(): Promise<KafkaBroker>;
  };
  readonly connectionPoolBuilder: ConnectionPoolBuilder;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findBroker(which: { readonly nodeId: number | string }): Promise<KafkaBroker>;
}

const METADATA_MAX_AGE_MS = 30_000;

/**
 * The cluster object inside a kafkajs client. kafkajs hands it to the assigners of a consumer; this consumer is never
 * connected, so it has no group, no socket and no timer.
 */
export function clusterOf(kafka: Kafka): KafkaCluster {
  let cluster: unknown;
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    partitionAssigners: [
      (context) => {
        cluster = context.cluster;
        return {
          name: 'none',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return cluster as KafkaCluster;
}

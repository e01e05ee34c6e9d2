/** The part of kafkajs that the inspection uses. The kit depends on no client: this one is the project's own. */
export interface KafkaJs {
  readonly Kafka: new (options: Readonly<Record<string, unknown>>) => KafkaClient;
  readonly logLevel: { readonly NOTHING: number };
  readonly Partitioners: { readonly DefaultPartitioner: unknown };
}

/** A client of one cluster. */
export interface KafkaClient {
  admin(): KafkaAdmin;
  producer(options?: Readonly<Record<string, unknown>>): KafkaProducer;
  consumer(options: Readonly<Record<string, unknown>>): KafkaConsumer;
}

/** Where a partition of a topic begins and ends. */
export interface TopicOffset {
  readonly partition: number;
  readonly low: string;
  readonly high: string;
}

/** Where a group stands in a topic. */
export interface GroupOffsets {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset: string;
    readonly metadata?: string | null;
  }[];
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  listTopics(): Promise<string[]>;
  createTopics(options: Readonly<Record<string, unknown>>): Promise<boolean>;
  deleteTopics(options: { readonly topics: readonly string[] }): Promise<void>;
  fetchTopicOffsets(topic: string): Promise<TopicOffset[]>;
  fetchOffsets(options: {
    readonly groupId: string;
    readonly topics: readonly string[];
  }): Promise<GroupOffsets[]>;
  createAcls(options: { readonly acl: readonly object[] }): Promise<boolean>;
  deleteAcls(options: { readonly filters: readonly object[] }): Promise<unknown>;
  listGroups(): Promise<{ readonly groups: readonly { readonly groupId: string }[] }>;
  describeGroups(ids: readonly string[]): Promise<{
    readonly groups: readonly {
      readonly groupId: string;
      readonly state: string;
      readonly members: readonly { readonly memberId: string }[];
    }[];
  }>;
  deleteGroups(ids: readonly string[]): Promise<unknown>;
  deleteTopicRecords(options: {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }): Promise<void>;
  alterConfigs(options: Readonly<Record<string, unknown>>): Promise<unknown>;
  describeConfigs(options: Readonly<Record<string, unknown>>): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string }[];
    }[];
  }>;
  fetchTopicMetadata(options: { readonly topics: readonly string[] }): Promise<{
    readonly topics: readonly {
      readonly name: string;
      readonly partitions: readonly { readonly partitionId: number; readonly replicas: readonly number[] }[];
    }[];
  }>;
}

export interface KafkaProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(
    options: Readonly<Record<string, unknown>>,
  ): Promise<readonly { readonly partition: number; readonly baseOffset?: string }[]>;
}

/** A record as kafkajs gives it. */
export interface KafkaMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Of the batch that it was written in. */
  readonly batchContext?: { readonly producerId: string };
  readonly headers?: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
}

export interface KafkaConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(options: { readonly topics: readonly string[]; readonly fromBeginning: boolean }): Promise<void>;
  run(options: Readonly<Record<string, unknown>>): Promise<void>;
  on(event: string, listener: () => void): unknown;
}

import { randomUUID } from 'node:crypto';

import { importFromProject } from '../load-package.js';
import { until } from '../poll.js';
import type { RawWrite } from '../subject.js';
import type {
  KafkaAdmin,
  KafkaClient,
  KafkaJs,
  KafkaMessage,
  KafkaProducer,
  TopicOffset,
} from './kafkajs-types.js';

/** A record as read, and where it lay. */
export interface ReadMessage {
  readonly partition: number;
  readonly message: KafkaMessage;
}

const READ_WITHIN_MS = 20_000;
const TOPIC_RESOURCE = 2;

/**
 * A client of the cluster for what a test looks at or writes past the bus. One for each namespace: kafkajs asks for the
 * metadata of every topic that a client ever used, and fails when one of them has been deleted since.
 */
export class KafkaSession {
  readonly #kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly #producer: KafkaProducer;

  private constructor(kafka: KafkaClient, partitioner: unknown) {
    this.#kafka = kafka;
    this.admin = kafka.admin();
    this.#producer = kafka.producer({ createPartitioner: partitioner, allowAutoTopicCreation: false });
  }

  static async open(brokers: readonly string[]): Promise<KafkaSession> {
    const { Kafka, Partitioners, logLevel } = (await importFromProject('kafkajs')) as KafkaJs;
    const kafka = new Kafka({
      brokers: [...brokers],
      clientId: 'conformance-inspect',
      logLevel: logLevel.NOTHING,
    });
    const session = new KafkaSession(kafka, Partitioners.DefaultPartitioner);
    await session.admin.connect();
    await session.#producer.connect();
    return session;
  }

  async write(topic: string, record: RawWrite): Promise<{ partition: number; position: string }> {
    const { key, value, headers, partition } = record;
    const message = {
      key: key ?? null,
      value: value === null ? null : Buffer.from(value),
      headers: Object.fromEntries(
        Object.entries(headers ?? {}).map(([name, text]) => [
          name,
          typeof text === 'string' ? text : Buffer.from(text),
        ]),
      ),
      ...(partition === undefined ? {} : { partition }),
    };
    const [stored] = await this.#producer.send({ topic, acks: -1, messages: [message] });
    return { partition: stored?.partition ?? 0, position: stored?.baseOffset ?? '' };
  }

  /** Where the partitions of a topic begin and end. */
  async offsetsOf(topic: string): Promise<readonly TopicOffset[]> {
    // A topic that was just created has no leaders for a moment.
    return until(`the offsets of ${topic}`, () => this.admin.fetchTopicOffsets(topic), {
      withinMs: READ_WITHIN_MS,
    });
  }

  /** Everything in a topic. */
  async read(topic: string): Promise<readonly ReadMessage[]> {
    if (!(await this.admin.listTopics()).includes(topic)) return [];
    const ends = await this.offsetsOf(topic);
    const missing = new Map(
      ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]),
    );
    const found: ReadMessage[] = [];
    if (missing.size === 0) return found;
    const groupId = `conformance-inspect-${randomUUID()}`;
    const consumer = this.#kafka.consumer({ groupId, maxWaitTimeInMs: 50 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachMessage: ({ partition, message }: ReadMessage) => {
          found.push({ partition, message });
          if (Number(message.offset) + 1 >= (missing.get(partition) ?? 0)) missing.delete(partition);
          return Promise.resolve();
        },
      });
      await until(`${topic} to be read to its end`, () => missing.size === 0, { withinMs: READ_WITHIN_MS });
    } finally {
      await consumer.disconnect();
      await this.admin.deleteGroups([groupId]).catch(() => {});
    }
    return found.sort(
      (a, b) => a.partition - b.partition || Number(a.message.offset) - Number(b.message.offset),
    );
  }

  async configsOf(topic: string): Promise<Readonly<Record<string, string>>> {
    const { resources } = await this.admin.describeConfigs({
      resources: [{ type: TOPIC_RESOURCE, name: topic }],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }

  /** Sets one setting of a topic; the others go back to the broker's defaults. */
  async configure(topic: string, name: string, value: string): Promise<void> {
    await this.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: TOPIC_RESOURCE, name: topic, configEntries: [{ name, value }] }],
    });
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
    await this.admin.disconnect();
  }

  /** For the raw client that the bus is measured against. */
  get client(): KafkaClient {
    return this.#kafka;
  }
}

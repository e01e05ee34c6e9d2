import { BusError, ConfigurationError, type ConfigurationProblem, delay } from '@omnibus/core/transport';
import type { KafkaClient } from './client.js';
import { protocolTypeOf, toBusError } from './errors.js';
import type { NewTopic } from './kafkajs-cluster.js';
import type { KafkaSettings } from './options.js';
import type { TopicDescription } from './topic-metadata.js';
import { countBrokers, describeTopic } from './topic-requests.js';

/** The topics of one bus. */
export interface TopicNames {
  readonly stream: string;
  readonly deadLetters: string;
  /** Which dead letters were replayed or purged. Made when the first one is. */
  readonly deadLetterState: string;
}

/** The names that the predecessor gives them, too. */
export function topicNames(topicPrefix: string): TopicNames {
  const stream = `${topicPrefix}.stream`;
  return { stream, deadLetters: `${stream}.dlq`, deadLetterState: `${stream}.dlq.state` };
}

const MAX_REPLICAS_BY_DEFAULT = 3;
const CREATE_TIMEOUT_MS = 10_000;
const POLL_MS = 25;
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** A dead letter carries its event and what was wrong with it. */
const DEAD_LETTER_HEADROOM_BYTES = 524_288;

/** Makes sure that the topics exist. Never changes or removes one. */
export class Topology {
  readonly names: TopicNames;

  constructor(
    private readonly client: KafkaClient,
    private readonly settings: KafkaSettings,
  ) {
    this.names = topicNames(settings.topicPrefix);
  }

  /** What publishing and consuming need. */
  async ensure(): Promise<void> {
    const { stream, deadLetters } = this.names;
    await this.ensureTopics([stream, deadLetters]);
    // kafkajs learns of the brokers only together with a topic.
    await this.client.cluster.addMultipleTargetTopics([stream]);
  }

  /** What replaying and purging dead letters need beside. */
  async ensureDeadLetterState(): Promise<void> {
    await this.ensureTopics([this.names.deadLetterState]);
  }

  private async ensureTopics(topics: readonly string[]): Promise<void> {
    const found = await this.describe(topics);
    const missing = topics.filter((topic) => !found.has(topic));
    if (missing.length > 0) {
      if (!this.settings.createTopics) throw missingTopics(missing);
      await this.create(missing);
      for (const topic of missing) found.set(topic, await this.awaitTopic(topic));
    }
    const problems = this.verify(found);
    if (problems.length > 0) throw new ConfigurationError(problems);
  }

  private async describe(topics: readonly string[]): Promise<Map<string, TopicDescription>> {
    const broker = await this.client.cluster.brokerPool.findConnectedBroker();
    const found = new Map<string, TopicDescription>();
    for (const topic of topics) {
      const description = await describeTopic(broker, topic);
      if (description) found.set(topic, description.partitions);
    }
    return found;
  }

  private async create(topics: readonly string[]): Promise<void> {
    const broker = await this.client.cluster.brokerPool.findConnectedBroker();
    const brokers = await countBrokers(broker, topics[0] ?? '');
    const replicationFactor = this.settings.replicationFactor ?? Math.min(MAX_REPLICAS_BY_DEFAULT, brokers);
    try {
      await broker.createTopics({
        topics: topics.map((topic) => this.newTopic(topic, replicationFactor)),
        timeout: CREATE_TIMEOUT_MS,
      });
    } catch (error) {
      // Somebody else may be creating them at the same moment; what they made is looked at like any other.
      const errors = (error as { readonly errors?: readonly unknown[] }).errors ?? [error];
      const real = errors.find((each) => protocolTypeOf(each) !== 'TOPIC_ALREADY_EXISTS');
      if (real !== undefined) throw toBusError(real, `create the topics ${topics.join(', ')}`);
    }
  }

  private newTopic(topic: string, replicationFactor: number): NewTopic {
    const { stream, deadLetters } = this.names;
    const { partitions, maxRequestBytes } = this.settings;
    if (topic === stream) {
      const config =
        maxRequestBytes === DEFAULT_MAX_MESSAGE_BYTES ? {} : { 'max.message.bytes': maxRequestBytes };
      return { topic, numPartitions: partitions, replicationFactor, configEntries: entries(config) };
    }
    if (topic === deadLetters) {
      // One partition: the oldest first is then simply the order of the topic. Nothing in it ends by itself.
      const config = {
        'retention.ms': -1,
        'retention.bytes': -1,
        'max.message.bytes': maxRequestBytes + DEAD_LETTER_HEADROOM_BYTES,
      };
      return { topic, numPartitions: 1, replicationFactor, configEntries: entries(config) };
    }
    return {
      topic,
      numPartitions: 1,
      replicationFactor,
      configEntries: entries({ 'cleanup.policy': 'compact' }),
    };
  }

  /** A topic that was just created becomes visible a little later, and gets its leaders later still. */
  private async awaitTopic(topic: string): Promise<TopicDescription> {
    const deadlineMs = Date.now() + CREATE_TIMEOUT_MS;
    while (Date.now() < deadlineMs) {
      const description = (await this.describe([topic])).get(topic);
      if (description?.length && description.every(({ leader }) => leader >= 0)) return description;
      await delay(POLL_MS);
    }
    throw new BusError(
      'TIMEOUT',
      `The topic ${topic} was created, but has no leaders after ${CREATE_TIMEOUT_MS} ms`,
    );
  }

  private verify(found: ReadonlyMap<string, TopicDescription>): ConfigurationProblem[] {
    const { stream } = this.names;
    const partitions = found.get(stream)?.length;
    if (partitions === undefined || partitions >= this.settings.partitions) return [];
    return [
      {
        path: 'partitions',
        message: `is ${this.settings.partitions}, but the topic ${stream} has ${partitions}; set partitions to ${partitions}, or add partitions to the topic (events of one aggregate then change their partition)`,
      },
    ];
  }
}

function missingTopics(topics: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    topics.map((topic) => ({
      path: 'createTopics',
      message: `is false, and the topic ${topic} does not exist; create it, or let the bus do it`,
    })),
  );
}

function entries(config: Readonly<Record<string, string | number>>): NewTopic['configEntries'] {
  return Object.entries(config).map(([name, value]) => ({ name, value: String(value) }));
}

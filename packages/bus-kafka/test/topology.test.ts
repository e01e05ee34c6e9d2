import kafkajs from 'kafkajs';
import { KafkaTransport } from '../src/transport.js';
import {
  openTransport,
  publish,
  records,
  sharedBrokers,
  Told,
  testOptions,
  uniqueName,
} from './support/kafka.js';

const admin = new kafkajs.Kafka({ brokers: sharedBrokers(), logLevel: 0 }).admin();

beforeAll(() => admin.connect());
afterAll(() => admin.disconnect());

async function open(settings: ReturnType<typeof testOptions>): Promise<KafkaTransport> {
  const transport = new KafkaTransport(settings);
  try {
    await transport.open(new Told());
    return transport;
  } catch (error) {
    await transport.close();
    throw error;
  }
}

async function partitionsOf(topic: string): Promise<number> {
  return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length ?? 0;
}

describe('topics', () => {
  test('are made when they are missing, under the names of the predecessor, and dead letters never end by themselves', async () => {
    const { transport, settings } = await openTransport({ partitions: 5 });
    const stream = `${settings.topicPrefix}.stream`;
    expect(await partitionsOf(stream)).toBe(5);
    expect(transport.partitions).toBe(5);
    const [{ configEntries } = { configEntries: [] }] = (
      await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: `${stream}.dlq` }] })
    ).resources;
    expect(configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue).toBe('-1');
    await transport.close();
  });

  test('ten processes that start at once all open', async () => {
    const settings = testOptions({ partitions: 3 });
    const transports = await Promise.all(Array.from({ length: 10 }, () => open(settings)));
    expect(transports.map(({ partitions }) => partitions)).toEqual(Array(10).fill(3));
    await Promise.all(transports.map((transport) => transport.close()));
  });

  test('a stream with fewer partitions than configured is an error that names both numbers; nothing is changed', async () => {
    const topicPrefix = uniqueName('topic');
    await admin.createTopics({
      topics: [{ topic: `${topicPrefix}.stream`, numPartitions: 2, replicationFactor: 1 }],
    });
    await expect(open(testOptions({ topicPrefix, partitions: 4 }))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/partitions: is 4, but .* has 2/),
    });
    expect(await partitionsOf(`${topicPrefix}.stream`)).toBe(2);
  });

  test('a stream with more partitions is used as it is', async () => {
    const topicPrefix = uniqueName('topic');
    await admin.createTopics({
      topics: [{ topic: `${topicPrefix}.stream`, numPartitions: 6, replicationFactor: 1 }],
    });
    const transport = await open(testOptions({ topicPrefix, partitions: 4 }));
    expect(transport.partitions).toBe(6);
    await publish(transport, records(5, 1));
    await transport.close();
  });

  test('with createTopics false a missing topic is an error that names it, and nothing is made', async () => {
    const topicPrefix = uniqueName('topic');
    await expect(open(testOptions({ topicPrefix, createTopics: false }))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(
        new RegExp(`${topicPrefix}\\.stream does not exist[^]*${topicPrefix}\\.stream\\.dlq does not exist`),
      ),
    });
    expect(await admin.listTopics()).not.toContain(`${topicPrefix}.stream`);
  });

  test('more copies than there are brokers is a configuration error', async () => {
    await expect(open(testOptions({ replicationFactor: 3 }))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('replicationFactor'),
    });
  });
});

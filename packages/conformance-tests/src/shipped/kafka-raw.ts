import type { RawSession } from '../subject.js';
import type { KafkaSessions } from './kafka-sessions.js';

/** A producer and a consumer on kafkajs alone, as one would write them by hand. */
export async function rawKafka(
  sessions: KafkaSessions,
  namespace: string,
  onRecord: (body: unknown) => void,
): Promise<RawSession> {
  const { client } = await sessions.of(namespace);
  const topic = `${namespace}.stream`;
  const producer = client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  const consumer = client.consumer({ groupId: `${namespace}-raw`, maxWaitTimeInMs: 100 });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on('consumer.group_join', () => resolve()));
  await consumer.run({
    autoCommitInterval: 200,
    eachBatch: ({ batch }: { batch: { messages: readonly { value: Buffer | null }[] } }) => {
      for (const { value } of batch.messages) onRecord(JSON.parse(value?.toString() ?? 'null'));
      return Promise.resolve();
    },
  });
  await joined;
  return {
    publish: async (records) => {
      await producer.send({ topic, acks: -1, messages: records.map(({ key, value }) => ({ key, value })) });
    },
    close: async () => {
      await Promise.all([producer.disconnect(), consumer.disconnect()]);
    },
  };
}

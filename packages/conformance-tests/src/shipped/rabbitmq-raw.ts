import type { RawSession } from '../subject.js';
import { RabbitMQSession } from './rabbitmq-session.js';

const PREFETCH = 1_000;
const ACK_EVERY = 200;

/** A producer and a consumer on amqplib alone, as one would write them by hand: one quorum queue, confirms, multiple acks. */
export async function rawRabbitMQ(
  url: string,
  namespace: string,
  onRecord: (body: unknown) => void,
): Promise<RawSession> {
  const producer = new RabbitMQSession(url);
  const consumer = new RabbitMQSession(url);
  const queue = `${namespace}.raw`;
  const sending = await (await producer.connection()).createConfirmChannel();
  await sending.assertQueue(queue, {
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
  });
  const receiving = await (await consumer.connection()).createChannel();
  await receiving.prefetch(PREFETCH);
  let unacknowledged = 0;
  await receiving.consume(queue, (message) => {
    if (message === null) return;
    onRecord(JSON.parse(message.content.toString()));
    unacknowledged += 1;
    if (unacknowledged % ACK_EVERY === 0) receiving.ack(message, true);
  });
  return {
    publish: async (records) => {
      await Promise.all(
        records.map(
          ({ key, value }) =>
            new Promise<void>((resolve, reject) => {
              const options = { persistent: true, headers: { aggregate_id: key } };
              sending.publish('', queue, Buffer.from(value), options, (error) =>
                error ? reject(error instanceof Error ? error : new Error(String(error))) : resolve(),
              );
            }),
        ),
      );
    },
    close: async () => {
      await Promise.all([producer.close(), consumer.close()]);
    },
  };
}

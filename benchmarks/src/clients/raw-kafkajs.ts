import net from 'node:net';

import kafkajs, { type Consumer as KafkaConsumer, type Message } from 'kafkajs';

import type { Client, Consumer, ConsumerSpec, Publisher } from '../client.js';
import type { PlainEvent } from '../events.js';
import { repairTimers } from './kafkajs-timers.js';
import { KeyLanes } from './key-lanes.js';
import { Uncommitted } from './uncommitted.js';

/** How often the bus commits. */
const COMMIT_INTERVAL_MS = 200;
/** Unhandled events at which fetching waits: what the bus holds. */
const MAX_UNHANDLED = 4_096;
const PARTITIONS = 8;

/** kafkajs used by hand, as well as it allows: see the README for what that means. */
export class RawKafkajs implements Client {
  private readonly kafka: kafkajs.Kafka;

  constructor(
    brokers: readonly string[],
    private readonly topic: string,
  ) {
    repairTimers();
    this.kafka = new kafkajs.Kafka({
      clientId: 'raw',
      brokers: [...brokers],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 10_000,
      socketFactory: ({ host, port, onConnect }) =>
        net.connect({ host, port }, onConnect).setKeepAlive(true, 60_000).setNoDelay(true),
    });
  }

  async openPublisher(): Promise<Publisher> {
    const { topic } = this;
    const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
    const producer = this.kafka.producer({ idempotent: true, createPartitioner });
    await producer.connect();
    return {
      publish: async ({ plain }) => {
        await producer.send({ topic, acks: -1, messages: plain.map(messageOf) });
      },
      close: () => producer.disconnect(),
    };
  }

  createGroup(): Promise<void> {
    return Promise.resolve();
  }

  async openConsumer({ group, concurrency, handle }: ConsumerSpec): Promise<Consumer> {
    const consumer = this.kafka.consumer({ groupId: group, maxWaitTimeInMs: 500 });
    await consumer.connect();
    await consumer.subscribe({ topic: this.topic, fromBeginning: true });
    if (concurrency !== undefined) return this.runLanes(consumer, concurrency, handle);
    await consumer.run({
      autoCommitInterval: COMMIT_INTERVAL_MS,
      partitionsConsumedConcurrently: PARTITIONS,
      eachBatch: async ({ batch: { messages } }) => {
        for (const { value } of messages) void handle(JSON.parse(String(value)));
      },
    });
    return { close: () => consumer.disconnect() };
  }

  /** What somebody has to write who wants order per key and more than one event at once. */
  private async runLanes(
    consumer: KafkaConsumer,
    concurrency: number,
    handle: ConsumerSpec['handle'],
  ): Promise<Consumer> {
    const { topic } = this;
    const lanes = new KeyLanes(concurrency, handle);
    const uncommitted = new Uncommitted();
    const commit = async (): Promise<void> => {
      const offsets = uncommitted
        .takeOffsets()
        .map(({ partition, offset }) => ({ topic, partition, offset }));
      if (offsets.length > 0) await consumer.commitOffsets(offsets);
    };
    const timer = setInterval(() => void commit(), COMMIT_INTERVAL_MS);
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS,
      eachBatch: async ({ batch: { partition, messages }, resolveOffset, pause }) => {
        for (const { key, value, offset } of messages)
          lanes.add(String(key), String(value), uncommitted.add(partition, offset));
        resolveOffset(messages.at(-1)?.offset ?? '');
        if (lanes.unhandled > MAX_UNHANDLED) lanes.whenBelow(MAX_UNHANDLED / 2, pause());
      },
    });
    return {
      close: async () => {
        clearInterval(timer);
        await commit();
        await consumer.disconnect();
      },
    };
  }
}

function messageOf(event: PlainEvent): Message {
  return { key: event.aggregate_id, value: JSON.stringify(event) };
}

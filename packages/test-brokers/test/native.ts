import { type Admin, Kafka, logLevel } from 'kafkajs';
import { type KafkaOptions, type RunningKafka, startKafka } from '../src/index.js';

/** Starts Kafka as processes of this machine, whatever else the environment offers. */
export function startNative(options: KafkaOptions = {}): Promise<RunningKafka> {
  return natively(() => startKafka(options));
}

/** Leaves only native processes to choose from, whatever else the environment offers. */
export async function natively<T>(start: () => Promise<T>): Promise<T> {
  const { OMNIBUS_BROKERS: before } = process.env;
  process.env.OMNIBUS_BROKERS = 'native';
  try {
    return await start();
  } finally {
    if (before === undefined) delete process.env.OMNIBUS_BROKERS;
    else process.env.OMNIBUS_BROKERS = before;
  }
}

/** A client that logs nothing and gives up soon. */
export function client(brokers: readonly string[], more: object = {}): Kafka {
  return new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    retry: { retries: 5, initialRetryTime: 50 },
    ...more,
  });
}

/** Creates a topic and writes to it. */
export async function write(brokers: readonly string[], topic: string, count: number): Promise<void> {
  const kafka = client(brokers);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic }], waitForLeaders: false });
  // kafkajs waits for leaders, but gives up when the node it asks has not heard of the topic yet.
  await eventually('the topic has a leader', () => hasLeader(admin, topic));
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: count }, (_, index) => ({ value: `event ${index}` }));
  await producer.send({ topic, messages, acks: -1 });
  await producer.disconnect();
}

async function hasLeader(admin: Admin, topic: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch {
    return false;
  }
}

/** How many records a topic with one partition holds. */
export async function countRecords(brokers: readonly string[], topic: string): Promise<number> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return Number(offsets[0]?.high);
  } finally {
    await admin.disconnect();
  }
}

/** Whether a process with this number is there; a dead one that nobody has reaped yet is not. */
export async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return !/^State:\s+[ZX]/m.test(status);
}

/** Resolves when the condition holds; fails with `what` at the deadline. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  deadlineMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

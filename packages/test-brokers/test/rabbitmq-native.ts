import { readdir, readFile, readlink } from 'node:fs/promises';
import { type ChannelModel, connect } from 'amqplib';
import { type RabbitMQOptions, type RunningRabbitMQ, startRabbitMQ } from '../src/index.js';
import { natively } from './native.js';

/** Starts RabbitMQ as processes of this machine, whatever else the environment offers. */
export function startNativeRabbitMQ(options: RabbitMQOptions = {}): Promise<RunningRabbitMQ> {
  return natively(() => startRabbitMQ({ report: () => {}, ...options }));
}

/** Connects, lets the connection be used, and closes it. */
export async function withConnection<T>(
  url: string,
  use: (connection: ChannelModel) => Promise<T>,
  options: object = {},
): Promise<T> {
  const connection = await connect(url, { timeout: 5_000, ...options });
  // Refusals arrive on a channel as well, where they are looked for.
  connection.on('error', () => {});
  try {
    return await use(connection);
  } finally {
    await connection.close().catch(() => {});
  }
}

/** Publishes to an exchange; rejects with the broker's refusal. */
export async function publish(url: string, exchange: string, routingKey = 'key'): Promise<void> {
  await withConnection(url, async (connection) => {
    const channel = await connection.createConfirmChannel();
    const refused = new Promise<never>((_, reject) => channel.once('error', reject));
    refused.catch(() => {});
    channel.publish(exchange, routingKey, Buffer.from('event'));
    await Promise.race([channel.waitForConfirms(), refused]);
  });
}

/** Makes a durable queue and writes persistent messages to it. */
export async function write(url: string, queue: string, count: number): Promise<void> {
  await withConnection(url, async (connection) => {
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    for (let index = 0; index < count; index += 1) {
      channel.sendToQueue(queue, Buffer.from(`event ${index}`), { persistent: true });
    }
    await channel.waitForConfirms();
  });
}

/** How many messages are in a queue. */
export async function messagesIn(url: string, queue: string): Promise<number> {
  return withConnection(url, async (connection) => {
    const channel = await connection.createChannel();
    return (await channel.checkQueue(queue)).messageCount;
  });
}

/** The process of the name daemon (epmd) that runs in the folder of a RabbitMQ. */
export async function nameDaemonOf(folder: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const cwd = await readlink(`/proc/${entry}/cwd`).catch(() => '');
    if (cwd !== folder) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0')[0]?.endsWith('epmd')) return Number(entry);
  }
  throw new Error(`no name daemon runs in ${folder}`);
}

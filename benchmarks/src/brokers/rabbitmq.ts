import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { RabbitMQEventBus } from '@omnibus/bus-rabbitmq';
import { startRabbitMQ } from '@omnibus/test-brokers';
import amqplib from 'amqplib';

import { OmnibusClient } from '../clients/omnibus.js';
import { RawAmqplib } from '../clients/raw-amqplib.js';
import type { BrokerKind } from './broker.js';

/** RabbitMQ, with amqplib as the raw client. */
export const rabbitmq: BrokerKind = {
  targets: { P1: 0.85, P2: 0.9, C1: 0.85, C2: 0.9, L: 0.5 },
  async start(report) {
    const running = await startRabbitMQ({ report });
    return {
      address: running.urls,
      description: `RabbitMQ ${running.version} (${running.provider})`,
      rawClient: `amqplib ${amqplibVersion()}`,
      stop: () => running.stop(),
    };
  },
  clients(urls, stream) {
    return {
      bus: new OmnibusClient((options) => new RabbitMQEventBus({ ...options, urls, exchange: stream })),
      raw: new RawAmqplib(urls[0] ?? '', `${stream}.raw`),
      isRetained: false,
    };
  },
  /** The names of groups are kept in a queue of the stream. */
  async dropStream(urls, stream) {
    const connection = await amqplib.connect(urls[0] ?? '', { noDelay: true });
    try {
      const channel = await connection.createChannel();
      for (const group of await groupsOf(channel, `${stream}_groups`)) {
        const base = `${stream}.${group}`;
        for (let partition = 0; partition < 8; partition += 1) {
          await channel.deleteQueue(`${base}.${partition}`);
          await channel.deleteQueue(`${base}.${partition}.journal`);
        }
        await channel.deleteQueue(`${base}.dlq`);
      }
      await channel.deleteQueue(`${stream}_groups`);
      await channel.deleteQueue(`${stream}.raw`);
      for (const exchange of ['', '.partitions', '_dlq'])
        await channel.deleteExchange(`${stream}${exchange}`);
    } finally {
      await connection.close();
    }
  },
};

/** Its exports do not name its package.json. */
function amqplibVersion(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('amqplib'));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

async function groupsOf(channel: amqplib.Channel, queue: string): Promise<readonly string[]> {
  await channel.assertQueue(queue, {
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 },
  });
  const groups: string[] = [];
  for (let message = await channel.get(queue); message; message = await channel.get(queue))
    groups.push(message.content.toString());
  return groups;
}

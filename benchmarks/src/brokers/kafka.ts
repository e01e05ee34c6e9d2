import { createRequire } from 'node:module';

import { KafkaEventBus } from '@omnibus/bus-kafka';
import { startKafka } from '@omnibus/test-brokers';
import kafkajs from 'kafkajs';

import { OmnibusClient } from '../clients/omnibus.js';
import { RawKafkajs } from '../clients/raw-kafkajs.js';
import type { BrokerKind } from './broker.js';

const SUFFIXES = ['stream', 'stream.dlq', 'stream.dlq.state'];

/** Kafka, with kafkajs as the raw client. */
export const kafka: BrokerKind = {
  targets: { P1: 0.9, P2: 2, C1: 0.8, C2: 0.9, L: 1 },
  async start(report) {
    const { version } = createRequire(import.meta.url)('kafkajs/package.json') as {
      readonly version: string;
    };
    // Tests want a broker that starts fast; a measurement wants one that runs fast.
    const running = await startKafka({ report, heapMb: 1_024, jvmArgs: ['-XX:TieredStopAtLevel=4'] });
    return {
      address: running.brokers,
      description: `Kafka ${running.version} (${running.provider})`,
      rawClient: `kafkajs ${version}`,
      stop: () => running.stop(),
    };
  },
  clients(brokers, stream) {
    return {
      bus: new OmnibusClient((options) => new KafkaEventBus({ ...options, brokers, topicPrefix: stream })),
      raw: new RawKafkajs(brokers, `${stream}.stream`),
      isRetained: true,
    };
  },
  async dropStream(brokers, stream) {
    const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      const existing = new Set(await admin.listTopics());
      const topics = SUFFIXES.map((suffix) => `${stream}.${suffix}`).filter((topic) => existing.has(topic));
      await admin.deleteTopics({ topics });
    } finally {
      await admin.disconnect();
    }
  },
};

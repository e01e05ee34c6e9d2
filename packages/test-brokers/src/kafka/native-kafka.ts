import type { Offer } from '../choose-provider.js';
import type { Report } from '../report.js';
import { classArchive } from './class-archive.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { type KafkaJava, kafkaJava } from './kafka-java.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { startKafkaProcesses } from './kafka-processes.js';

/** Kafka as processes of this machine: its jars through Maven, run with Java. */
export async function offerNative(options: ResolvedKafkaOptions): Promise<Offer<KafkaCluster>> {
  if (process.platform === 'win32') {
    return { available: false, reason: 'Windows has neither SIGSTOP nor sh; Docker runs there' };
  }
  return {
    available: true,
    start: async () =>
      startKafkaProcesses(options, await prepareNativeKafka(options.version, options.report)),
  };
}

/** Fetches, installs and makes everything that native brokers of a version need, where it is not there yet. */
export async function prepareNativeKafka(version: string, report: Report): Promise<KafkaJava> {
  const kafka = await kafkaJava(version, report);
  return { ...kafka, ...(await classArchive(kafka, report)) };
}

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../cache.js';
import { messageOf } from '../errors.js';
import type { Report } from '../report.js';
import type { KafkaJava } from './kafka-java.js';
import { resolveKafkaOptions } from './kafka-options.js';
import { startKafkaProcesses } from './kafka-processes.js';

const ARCHIVE = 'classes.jsa';

/**
 * An archive of the classes that a broker loads (Java's class data sharing), made the first time by
 * running one and ending it. A start takes half the time with it. Where it cannot be made, brokers start
 * without it.
 */
export async function classArchive(
  kafka: KafkaJava,
  report: Report,
): Promise<Pick<KafkaJava, 'classArchive'>> {
  // Such an archive fits one build of Java and one class path only.
  const name = `kafka-${kafka.version}-java-${kafka.java.build}`.replaceAll(/[^\w.+-]/g, '_');
  try {
    const folder = await cached(name, (target) => archive(kafka, join(target, ARCHIVE), report), report);
    return { classArchive: join(folder, ARCHIVE) };
  } catch (error) {
    report(`Kafka ${kafka.version} starts without an archive of its classes: ${messageOf(error)}`);
    return {};
  }
}

async function archive(kafka: KafkaJava, path: string, report: Report): Promise<void> {
  report(`archiving the classes of Kafka ${kafka.version}, once, so that it starts in half the time`);
  const options = resolveKafkaOptions({
    version: kafka.version,
    jvmArgs: [`-XX:ArchiveClassesAtExit=${path}`],
    report: () => {},
  });
  const cluster = await startKafkaProcesses(options, kafka);
  try {
    await Promise.all(cluster.nodes.map((node) => node.down()));
    await access(path);
  } finally {
    await cluster.release();
  }
}

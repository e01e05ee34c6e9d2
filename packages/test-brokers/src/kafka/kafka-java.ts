import { delimiter } from 'node:path';
import { type Java, requireJava } from '../java.js';
import type { Report } from '../report.js';
import { kafkaJars } from './kafka-jars.js';

/** What Kafka's programs are run with. */
export interface KafkaJava {
  readonly java: Java;
  readonly version: string;
  readonly jars: readonly string[];
  /** An archive of loaded classes, which halves the start; undefined where none could be made. */
  readonly classArchive?: string;
}

/** The programs of Kafka that are used here. */
export const BROKER_CLASS = 'kafka.Kafka';
export const STORAGE_CLASS = 'kafka.tools.StorageTool';

/** Finds Java and fetches Kafka's jars; what is missing is installed where possible. */
export async function kafkaJava(version: string, report: Report): Promise<KafkaJava> {
  const java = await requireJava(Number(version.split('.')[0]) >= 4 ? 17 : 11, report);
  return { java, version, jars: await kafkaJars(version, report) };
}

/** The arguments of `java` for one of Kafka's programs, made for a fast start and little memory. */
export function javaArguments(
  kafka: KafkaJava,
  program: string,
  programArguments: readonly string[],
  tuning: { readonly heapMb: number; readonly temporaryFolder: string; readonly jvmArgs: readonly string[] },
): string[] {
  return [
    `-Xmx${tuning.heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    // It would leave a file in the system's temporary folder when it is killed.
    '-XX:-UsePerfData',
    `-Djava.io.tmpdir=${tuning.temporaryFolder}`,
    `-XX:ErrorFile=${tuning.temporaryFolder}/java-error.log`,
    ...(kafka.classArchive === undefined
      ? []
      : [
          '-Xshare:auto',
          '-Xlog:cds=off',
          '-Xlog:cds+dynamic=off',
          `-XX:SharedArchiveFile=${kafka.classArchive}`,
        ]),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    ...tuning.jvmArgs,
    '-cp',
    kafka.jars.join(delimiter),
    program,
    ...programArguments,
  ];
}

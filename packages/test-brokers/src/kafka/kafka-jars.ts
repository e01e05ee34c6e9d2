import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached } from '../cache.js';
import { copyJars } from '../maven.js';
import type { Report } from '../report.js';

const LOGGER_VERSION = '1.7.36';

/** The jars of a Kafka version, sorted; fetched into the cache the first time. */
export async function kafkaJars(version: string, report: Report): Promise<string[]> {
  const folder = await cached(
    `kafka-${version}`,
    async (target) => {
      report(`fetching Kafka ${version} with Maven (about 45 MB, kept for the next time)`);
      await fetchJars(version, target, report);
      report(`Kafka ${version} is fetched`);
    },
    report,
  );
  return jarsIn(folder);
}

/** The jars that Kafka's tools need beside those of the broker; fetched into the cache the first time. */
export async function toolJars(
  { version, jars }: { readonly version: string; readonly jars: readonly string[] },
  report: Report,
): Promise<string[]> {
  const folder = await cached(
    `kafka-tools-${version}`,
    async (target) => {
      report(`fetching the tools of Kafka ${version} with Maven (about 45 MB, kept for the next time)`);
      await copyJars([`org.apache.kafka:kafka-tools:${version}`], target, report);
    },
    report,
  );
  const present = new Set(jars.map((jar) => basename(jar)));
  return (await jarsIn(folder)).filter((jar) => !present.has(basename(jar)));
}

async function fetchJars(version: string, folder: string, report: Report): Promise<void> {
  const kafka = `org.apache.kafka:kafka_2.13:${version}` as const;
  // Without a binding for slf4j a broker that fails says nothing. The binding must have the version of the
  // interface that this Kafka brings, which only shows once it is here.
  await copyJars([kafka, `org.slf4j:slf4j-simple:${LOGGER_VERSION}`], folder, report);
  const jars = await jarsIn(folder);
  const brought = jars
    .map((jar) => /slf4j-api-(.+)\.jar$/.exec(jar)?.[1])
    .find((found) => found !== undefined);
  if (brought === undefined || brought === LOGGER_VERSION) return;
  await rm(join(folder, `slf4j-simple-${LOGGER_VERSION}.jar`));
  await copyJars([kafka, `org.slf4j:slf4j-simple:${brought}`], folder, report);
}

async function jarsIn(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.jar'))
    .sort()
    .map((file) => join(folder, file));
}

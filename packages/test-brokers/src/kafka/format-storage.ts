import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SHOWN_LOG_LINES } from '../broker-node.js';
import { TestBrokerError } from '../errors.js';
import type { Reaper } from '../reaper.js';
import { runCommand } from '../run-command.js';
import { javaArguments, type KafkaJava, STORAGE_CLASS } from './kafka-java.js';
import { nodeName, type ResolvedKafkaOptions } from './kafka-options.js';

/** What the storage tool is run for. */
export interface StorageToFormat {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly folder: string;
  readonly propertiesPath: string;
  readonly kafka: KafkaJava;
  readonly options: ResolvedKafkaOptions;
  /** Beside the cluster's id and the file. */
  readonly formatArguments: readonly string[];
  readonly reaper: Reaper;
}

/** Formats the storage of a node; once, before its first start. `START_FAILED` shows what the tool said. */
export async function formatStorage(storage: StorageToFormat): Promise<void> {
  const { nodeId, clusterId, folder, propertiesPath, kafka, options, formatArguments, reaper } = storage;
  const temporaryFolder = join(folder, 'tmp');
  await mkdir(temporaryFolder, { recursive: true });
  const format = ['format', '-t', clusterId, '-c', propertiesPath, ...formatArguments];
  const args = javaArguments(kafka, STORAGE_CLASS, format, {
    heapMb: options.heapMb,
    jvmArgs: [],
    temporaryFolder,
  });
  const { code, output } = await runCommand(kafka.java.command, args, { cwd: folder, reaper });
  if (code === 0) return;
  const lines = output.trimEnd().split('\n').slice(-SHOWN_LOG_LINES).join('\n');
  throw new TestBrokerError(
    'START_FAILED',
    `${nodeName(options, nodeId)} could not format its storage:\n${lines}`,
  );
}

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Faults, Inspect, RawRecord } from '@omnibus/conformance-tests';
import { type OutboundRecord, partitionOf } from '@omnibus/core/transport';
import { type LoggedRecord, RecordLog } from '../src/record-log.js';

const PARTITIONS = 8;
const NOBODY = {
  eventId: '',
  eventType: '',
  aggregateId: '',
  aggregateType: '',
  aggregateVersion: 0,
  occurredAt: '',
};

/** The files, past the bus. */
export function inspectFiles(folder: string): Inspect {
  const logOf = (namespace: string, name: string | number): RecordLog =>
    new RecordLog(join(folder, namespace, typeof name === 'number' ? `p${name}.log` : `${name}.log`));
  return {
    async putRaw(namespace, { key, value, headers = {}, partition: wanted }) {
      const partition = wanted ?? (key === undefined ? 0 : partitionOf(key, PARTITIONS));
      await mkdir(join(folder, namespace), { recursive: true });
      const record = { partition, key, value, headers, timestampMs: Date.now(), event: NOBODY };
      const log = logOf(namespace, partition);
      await log.append([record as OutboundRecord]);
      return { partition, position: (await recordsOf(log)).at(-1)?.position ?? '' };
    },
    async readRaw(namespace) {
      const all: RawRecord[] = [];
      for (let partition = 0; partition < PARTITIONS; partition += 1)
        all.push(...(await recordsOf(logOf(namespace, partition))).map((record) => rawOf(partition, record)));
      return all;
    },
    async readRawDeadLetters(namespace) {
      return (await recordsOf(logOf(namespace, 'dead-letters'))).map((record) => rawOf(0, record));
    },
    groups: (namespace) => readdir(join(folder, namespace, 'groups')).catch(() => []),
    deleteTopology: (namespace) => rm(join(folder, namespace), { recursive: true, force: true }),
  };
}

/** Dead letters cannot be written while a folder stands where their file was. */
export function faultsOfFiles(folder: string): Faults {
  return {
    async breakDeadLetters(namespace) {
      const file = join(folder, namespace, 'dead-letters.log');
      await rename(file, `${file}.away`).catch(() => undefined);
      await mkdir(file, { recursive: true });
      return async () => {
        await rm(file, { recursive: true });
        await rename(`${file}.away`, file).catch(() => undefined);
      };
    },
  };
}

async function recordsOf(log: RecordLog): Promise<LoggedRecord[]> {
  const all: LoggedRecord[] = [];
  for await (const records of log.pages(0)) all.push(...records);
  return all;
}

function rawOf(partition: number, { position, key, value, headers }: LoggedRecord): RawRecord {
  const texts = Object.entries(headers).map(([name, header]) => [
    name,
    Buffer.from(header as string).toString(),
  ]);
  return { partition, position, key, value, headers: Object.fromEntries(texts) };
}

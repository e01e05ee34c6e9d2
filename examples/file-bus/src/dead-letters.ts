import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeadLetterStore, OutboundRecord, StoredDeadLetter } from '@omnibus/core/transport';
import { tryLock } from './lock.js';
import type { RecordLog } from './record-log.js';

/** Dead letters of all groups in one log; an empty file for each that is gone. */
export function deadLettersIn(
  log: RecordLog,
  folder: string,
  replayTo: (record: OutboundRecord) => Promise<void>,
): DeadLetterStore {
  const gone = async (): Promise<ReadonlySet<string>> => new Set(await readdir(folder));
  /** False for one that was gone already. */
  const forget = ({ id }: StoredDeadLetter): Promise<boolean> =>
    writeFile(join(folder, id), '', { flag: 'wx', flush: true })
      .then(() => true)
      .catch(() => false);
  return {
    async *read({ after, pageSize }) {
      const isGone = await gone();
      for await (const records of log.pages(Number(after ?? 0))) {
        const letters = records
          .filter(({ position }) => position !== after && !isGone.has(position))
          .map((record) => ({ id: record.position, record }));
        for (let at = 0; at < letters.length; at += pageSize) yield letters.slice(at, at + pageSize);
      }
    },
    async replay(letter, _group, record) {
      const lock = await tryLock(join(folder, letter.id));
      try {
        // Somebody else is giving it back, or has done so.
        if (!lock || (await gone()).has(letter.id)) return false;
        await replayTo(record);
        return await forget(letter);
      } finally {
        lock?.close();
      }
    },
    remove: async (letters) => (await Promise.all(letters.map(forget))).filter(Boolean).length,
  };
}

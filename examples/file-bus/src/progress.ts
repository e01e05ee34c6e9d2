import { readFile, rename, writeFile } from 'node:fs/promises';

/** How far a group has come in a partition, and what core noted there. */
export interface Progress {
  readonly next: number;
  readonly journal: string;
}

/** Undefined for a group that does not exist. */
export async function readProgress(path: string): Promise<Progress | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Progress);
}

/** Resolves when it is on the disk: all of it, or what was there before. */
export async function writeProgress(path: string, progress: Progress): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(progress), { flush: true });
  await rename(`${path}.new`, path);
}

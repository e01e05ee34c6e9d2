import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from './errors.js';
import type { Report } from './report.js';

/** Where what was fetched is kept between runs: `OMNIBUS_CACHE_DIR`, else `omnibus` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.OMNIBUS_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'omnibus');
}

const LOCK_POLL_MS = 100;

/**
 * The folder `name` in the cache, made by `build` when it is not there. It is built aside and renamed, so
 * that a folder that exists is complete. A lock keeps other processes from building the same thing
 * meanwhile; correctness does not hang on it.
 */
export async function cached(
  name: string,
  build: (folder: string) => Promise<void>,
  report: Report,
): Promise<string> {
  const target = join(cacheFolder(), name);
  if (await exists(target)) return target;
  await mkdir(cacheFolder(), { recursive: true });
  const unlock = await lock(`${target}.lock`, async () => !(await exists(target)), report);
  try {
    if (await exists(target)) return target;
    await removeUnfinished(name);
    const aside = await mkdtemp(join(cacheFolder(), unfinishedPrefix(name)));
    try {
      await build(aside);
      await rename(aside, target);
    } catch (error) {
      await rm(aside, { recursive: true, force: true });
      if (!(await exists(target))) throw error;
    }
    return target;
  } finally {
    await unlock();
  }
}

// Another machine that shares the cache may still be at work on a younger one.
const ABANDONED_AFTER_MS = 3_600_000;

const unfinishedPrefix = (name: string): string => `.unfinished-${name}-`;

async function removeUnfinished(name: string): Promise<void> {
  for (const entry of await readdir(cacheFolder())) {
    if (!entry.startsWith(unfinishedPrefix(name))) continue;
    const { mtimeMs } = await stat(join(cacheFolder(), entry));
    if (Date.now() - mtimeMs < ABANDONED_AFTER_MS) continue;
    await rm(join(cacheFolder(), entry), { recursive: true, force: true });
  }
}

/** Takes the lock, or stops waiting for it when nothing is left to do. */
async function lock(
  path: string,
  stillWanted: () => Promise<boolean>,
  report: Report,
): Promise<() => Promise<void>> {
  let told = false;
  for (;;) {
    if (await linked(path)) return () => rm(path, { force: true });
    if (!(await stillWanted())) return async () => {};
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) {
      await rm(path, { force: true });
      continue;
    }
    if (!told) report(`waiting for process ${owner}, which is fetching the same (lock ${path})`);
    told = true;
    await sleep(LOCK_POLL_MS);
  }
}

/** Makes the lock file with its owner in it in one step, so that no lock is ever without an owner. */
async function linked(path: string): Promise<boolean> {
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, String(process.pid));
  try {
    await link(mine, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

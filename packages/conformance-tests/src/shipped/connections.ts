import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import type { Inspect } from '../subject.js';

const HEX = 16;
const ESTABLISHED = '01';

/** How many established connections of this machine's clients lead to these ports of this machine. */
export async function connectionsTo(ports: readonly number[]): Promise<number> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const lines = tables.flatMap((table) => table.split('\n').slice(1));
  if (lines.length === 0) return countByNetstat(ports);
  return lines.filter((line) => {
    const [, , remote = '', state] = line.trim().split(/\s+/);
    return state === ESTABLISHED && ports.includes(Number.parseInt(remote.split(':')[1] ?? '', HEX));
  }).length;
}

/** For systems without `/proc`. */
async function countByNetstat(ports: readonly number[]): Promise<number> {
  const { stdout } = await promisify(execFile)('netstat', ['-an', '-p', 'tcp']);
  return stdout.split('\n').filter((line) => {
    const [, , , , remote = '', state] = line.trim().split(/\s+/);
    return state === 'ESTABLISHED' && ports.includes(Number(remote.split(/[.:]/).at(-1)));
  }).length;
}

/** Where the inspection goes the way of the buses, its own connections cannot be told from theirs. */
export function withoutConnections(inspect: Inspect): Inspect {
  const { connections: _, ...rest } = inspect;
  return rest;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, isRunning } from './native.js';

/** A process that started a broker. */
export interface Started<T> {
  readonly child: ChildProcess;
  /** What it told about the broker, in its first line. */
  readonly told: T;
}

/** Runs one of the fixtures, until it tells about the broker that it started. */
export async function startedBy<T>(fixture: string, args: readonly string[]): Promise<Started<T>> {
  const child = spawn(process.execPath, [join(__dirname, 'fixtures', fixture), ...args], {
    env: { ...process.env, OMNIBUS_BROKERS: 'native' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, told: JSON.parse(told.toString().split('\n')[0] ?? '') as T };
}

/** Resolves when the processes have ended, and their folder is removed. */
export async function expectNothingLeft(pids: readonly number[], folder: string): Promise<void> {
  for (const pid of pids) await eventually(`process ${pid} ends`, async () => !(await isRunning(pid)));
  await eventually(`${folder} is removed`, () => !existsSync(folder));
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, isRunning } from './native.js';

const STARTER = join(__dirname, 'fixtures', 'start-redis.mjs');

interface Started {
  readonly child: ChildProcess;
  readonly pids: readonly number[];
  readonly folder: string;
}

/** Runs a process that starts a Redis, until it tells about it. */
async function starter(...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [STARTER, ...args], {
    env: { ...process.env, OMNIBUS_BROKERS: 'native' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ...(JSON.parse(told.toString().split('\n')[0] ?? '') as Omit<Started, 'child'>) };
}

async function expectNothingLeft({ pids, folder }: Started): Promise<void> {
  for (const pid of pids) await eventually(`process ${pid} ends`, async () => !(await isRunning(pid)));
  await eventually(`${folder} is removed`, () => !existsSync(folder));
}

describe('the end of the process that started Redis', () => {
  it('by SIGKILL leaves neither running nodes nor files', async () => {
    const started = await starter('--sentinel');
    expect(started.pids).toHaveLength(5);
    expect(await Promise.all(started.pids.map(isRunning))).not.toContain(false);
    started.child.kill('SIGKILL');
    await expectNothingLeft(started);
  }, 60_000);

  it('by SIGKILL leaves no paused node either', async () => {
    const started = await starter('--pause');
    started.child.kill('SIGKILL');
    await expectNothingLeft(started);
  }, 60_000);

  it('comes by itself when it has nothing left to do, and takes the nodes along', async () => {
    const started = await starter('--return');
    const { child } = started;
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await expectNothingLeft(started);
  }, 60_000);

  it('does not come before what was asked for is done', async () => {
    const { child } = await starter('--sentinel', '--return', '--stop');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  }, 60_000);
});

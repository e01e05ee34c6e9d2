import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isRunning } from './native.js';
import { expectNothingLeft, startedBy } from './starter.js';

interface Started {
  readonly child: ChildProcess;
  readonly pids: readonly number[];
  readonly folder: string;
}

/** Runs a process that starts a Redis, until it tells about it. */
async function starter(...args: string[]): Promise<Started> {
  const { child, told } = await startedBy<Omit<Started, 'child'>>('start-redis.mjs', args);
  return { child, ...told };
}

describe('the end of the process that started Redis', () => {
  it('by SIGKILL leaves neither running nodes nor files', async () => {
    const started = await starter('--sentinel');
    expect(started.pids).toHaveLength(5);
    expect(await Promise.all(started.pids.map(isRunning))).not.toContain(false);
    started.child.kill('SIGKILL');
    await expectNothingLeft(started.pids, started.folder);
  }, 60_000);

  it('by SIGKILL leaves no paused node either', async () => {
    const started = await starter('--pause');
    started.child.kill('SIGKILL');
    await expectNothingLeft(started.pids, started.folder);
  }, 60_000);

  it('comes by itself when it has nothing left to do, and takes the nodes along', async () => {
    const started = await starter('--return');
    const { child } = started;
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await expectNothingLeft(started.pids, started.folder);
  }, 60_000);

  it('does not come before what was asked for is done', async () => {
    const { child } = await starter('--sentinel', '--return', '--stop');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  }, 60_000);
});

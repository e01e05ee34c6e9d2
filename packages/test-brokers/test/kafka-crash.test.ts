import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { isRunning } from './native.js';
import { expectNothingLeft, startedBy } from './starter.js';

/** Runs a process that starts a Kafka, until it tells about it. */
async function starter(...args: string[]): Promise<{ child: ChildProcess; pid: number; folder: string }> {
  const { child, told } = await startedBy<{ pid: number; folder: string }>('start-kafka.mjs', args);
  return { child, ...told };
}

describe('the end of the process that started Kafka', () => {
  it('by SIGKILL leaves neither a running broker nor its files', async () => {
    const { child, pid, folder } = await starter();
    expect(await isRunning(pid)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGKILL');
    await expectNothingLeft([pid], folder);
  }, 60_000);

  it('by SIGKILL leaves no paused broker either', async () => {
    const { child, pid, folder } = await starter('--pause');
    child.kill('SIGKILL');
    await expectNothingLeft([pid], folder);
  }, 60_000);

  it('comes by itself when it has nothing left to do, and takes the broker along', async () => {
    const { child, pid, folder } = await starter('--return');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await expectNothingLeft([pid], folder);
  }, 60_000);
});

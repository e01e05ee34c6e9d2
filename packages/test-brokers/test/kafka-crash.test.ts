import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, isRunning } from './native.js';

const STARTER = join(__dirname, 'fixtures', 'start-kafka.mjs');

/** Runs a process that starts a Kafka, until it tells about it. */
async function starter(...args: string[]): Promise<{ child: ChildProcess; pid: number; folder: string }> {
  const child = spawn(process.execPath, [STARTER, ...args], {
    env: { ...process.env, OMNIBUS_BROKERS: 'native' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  const { pid, folder } = JSON.parse(told.toString()) as { pid: number; folder: string };
  return { child, pid, folder };
}

async function expectNothingLeft(pid: number, folder: string): Promise<void> {
  await eventually(`broker ${pid} ends`, async () => !(await isRunning(pid)));
  await eventually(`${folder} is removed`, () => !existsSync(folder));
}

describe('the end of the process that started Kafka', () => {
  it('by SIGKILL leaves neither a running broker nor its files', async () => {
    const { child, pid, folder } = await starter();
    expect(await isRunning(pid)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    child.kill('SIGKILL');
    await expectNothingLeft(pid, folder);
  }, 60_000);

  it('by SIGKILL leaves no paused broker either', async () => {
    const { child, pid, folder } = await starter('--pause');
    child.kill('SIGKILL');
    await expectNothingLeft(pid, folder);
  }, 60_000);

  it('comes by itself when it has nothing left to do, and takes the broker along', async () => {
    const { child, pid, folder } = await starter('--return');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await expectNothingLeft(pid, folder);
  }, 60_000);
});

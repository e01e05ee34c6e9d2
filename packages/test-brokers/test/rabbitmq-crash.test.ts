import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, isRunning } from './native.js';
import { nameDaemonOf } from './rabbitmq-native.js';

const STARTER = join(__dirname, 'fixtures', 'start-rabbitmq.mjs');

interface Started {
  readonly child: ChildProcess;
  /** Of the node and of its name daemon. */
  readonly pids: readonly number[];
  readonly folder: string;
}

/** Runs a process that starts a RabbitMQ, until it tells about it. */
async function starter(...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [STARTER, ...args], {
    env: { ...process.env, OMNIBUS_BROKERS: 'native' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  const { pid, folder } = JSON.parse(told.toString()) as { pid: number; folder: string };
  return { child, pids: [pid, await nameDaemonOf(folder)], folder };
}

async function expectNothingLeft({ pids, folder }: Started): Promise<void> {
  for (const pid of pids) await eventually(`process ${pid} ends`, async () => !(await isRunning(pid)));
  await eventually(`${folder} is removed`, () => !existsSync(folder));
}

describe('the end of the process that started RabbitMQ', () => {
  it.each([[], ['--pause']])(
    'by SIGKILL leaves neither a node nor its name daemon nor files %s',
    async (...args) => {
      const started = await starter(...args);
      for (const pid of started.pids) expect(await isRunning(pid)).toBe(true);
      started.child.kill('SIGKILL');
      await expectNothingLeft(started);
    },
    120_000,
  );

  it('is not held up by it', async () => {
    const child = spawn(process.execPath, [STARTER, '--return'], {
      env: { ...process.env, OMNIBUS_BROKERS: 'native' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [told] = (await once(child.stdout, 'data')) as [Buffer];
    const { pid, folder } = JSON.parse(told.toString()) as { pid: number; folder: string };
    expect((await exited)[0]).toBe(0);
    await expectNothingLeft({ child, pids: [pid], folder });
  }, 120_000);
});

import { once } from 'node:events';
import { isRunning } from './native.js';
import { nameDaemonOf } from './rabbitmq-native.js';
import { expectNothingLeft, startedBy } from './starter.js';

interface Told {
  readonly pid: number;
  readonly folder: string;
}

describe('the end of the process that started RabbitMQ', () => {
  it.each([[], ['--pause']])(
    'by SIGKILL leaves neither a node nor its name daemon nor files %s',
    async (...args) => {
      const { child, told } = await startedBy<Told>('start-rabbitmq.mjs', args);
      const pids = [told.pid, await nameDaemonOf(told.folder)];
      for (const pid of pids) expect(await isRunning(pid)).toBe(true);
      child.kill('SIGKILL');
      await expectNothingLeft(pids, told.folder);
    },
    120_000,
  );

  it('is not held up by it', async () => {
    const { child, told } = await startedBy<Told>('start-rabbitmq.mjs', ['--return']);
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await expectNothingLeft([told.pid], told.folder);
  }, 120_000);
});

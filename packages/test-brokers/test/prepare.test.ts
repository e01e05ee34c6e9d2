import { join } from 'node:path';
import { runCommand } from '../src/run-command.js';

const prepare = (brokers: string): ReturnType<typeof runCommand> =>
  runCommand(process.execPath, [join(__dirname, '..', 'dist', 'prepare.js')], {
    env: { ...process.env, OMNIBUS_BROKERS: brokers },
  });

describe('the command that prepares brokers', () => {
  it('ends well once everything is there, and says so', async () => {
    const { code, output } = await prepare('native');
    expect(output).toMatch(/Kafka \S+ is ready to be started: native, since OMNIBUS_BROKERS is native/);
    expect(output).toMatch(/Redis is ready to be started: native, since OMNIBUS_BROKERS is native/);
    expect(code).toBe(0);
  }, 300_000);

  it('fails with the reason where it cannot', async () => {
    const { code, output } = await prepare('carrier pigeon');
    expect(output).toContain('OMNIBUS_BROKERS is "carrier pigeon"');
    expect(code).toBe(1);
  });
});

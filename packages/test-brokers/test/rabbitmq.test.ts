import { existsSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunningRabbitMQ } from '../src/index.js';
import { greet } from '../src/rabbitmq/greeting.js';
import { eventually, isRunning } from './native.js';
import { messagesIn, nameDaemonOf, startNativeRabbitMQ, write } from './rabbitmq-native.js';

describe('a RabbitMQ', () => {
  const lines: string[] = [];
  let rabbitmq: RunningRabbitMQ;
  const url = (): string => rabbitmq.urls[0] ?? '';
  /** A queue is there before its leader has counted what is in it. */
  const untilKept = (): Promise<void> =>
    eventually('3 messages are kept', async () => (await messagesIn(url(), 'kept')) === 3);

  beforeAll(async () => {
    rabbitmq = await startNativeRabbitMQ({ management: true, report: (line) => lines.push(line) });
    await write(url(), 'kept', 3);
  }, 240_000);
  afterAll(() => rabbitmq?.stop());

  it('serves, and says in a line what runs where and why', async () => {
    expect(await greet(url(), 2_000)).toBe(rabbitmq.version);
    expect(rabbitmq.provider).toBe('native');
    expect(lines.at(-1)).toMatch(/^RabbitMQ \d+\.\d+\.\d+ at amqp:\S+: native, since .*, ready in [\d.]+ s$/);
    expect(rabbitmq.nodes).toHaveLength(1);
    expect((await fetch(rabbitmq.managementUrl ?? '')).ok).toBe(true);
  });

  it('runs its tools', async () => {
    expect(await rabbitmq.node(0).ctl('list_queues', 'name', 'messages')).toContain('kept\t3');
    expect(await rabbitmq.administer(['rabbitmq-diagnostics', 'ping'])).toContain('succeeded');
  }, 60_000);

  it('keeps its connections and answers nothing while it is paused', async () => {
    await rabbitmq.pause();
    expect(rabbitmq.node(0).state).toBe('paused');
    await expect(greet(url(), 300)).rejects.toThrow('did not answer');
    await rabbitmq.resume();
    expect(rabbitmq.node(0).state).toBe('running');
    expect(await messagesIn(url(), 'kept')).toBe(3);
  });

  it('is gone after a kill, and comes back at the same place with its data', async () => {
    const { pid } = rabbitmq.node(0);
    await rabbitmq.kill();
    expect(rabbitmq.node(0).state).toBe('down');
    expect(await isRunning(pid ?? 0)).toBe(false);
    await expect(greet(url(), 2_000)).rejects.toThrow('ECONNREFUSED');
    await expect(rabbitmq.administer(['rabbitmqctl', 'list_users'])).rejects.toThrow('`start` changes that');
    await rabbitmq.start();
    await untilKept();
  }, 120_000);

  it('is restarted in good order, also from a pause', async () => {
    const { pid } = rabbitmq.node(0);
    await rabbitmq.pause();
    await rabbitmq.restart();
    expect(rabbitmq.node(0).pid).not.toBe(pid);
    await untilKept();
    expect(lines.filter((line) => line.includes('killed') || line.includes('by itself'))).toEqual([]);
  }, 120_000);

  it('leaves nothing behind once it is stopped, and says so to whoever goes on', async () => {
    const { pid = 0 } = rabbitmq.node(0);
    const folder = dirname(readlinkSync(`/proc/${pid}/cwd`));
    const daemon = await nameDaemonOf(folder);
    expect(await isRunning(daemon)).toBe(true);
    await rabbitmq.stop();
    for (const one of [pid, daemon]) await eventually(`${one} ends`, async () => !(await isRunning(one)));
    expect(existsSync(folder)).toBe(false);
    await rabbitmq.stop();
    await expect(rabbitmq.start()).rejects.toMatchObject({ code: 'STOPPED' });
  }, 60_000);
});
